//! The freeze calendar, as operators declare and see it.

use super::{
    bounds::MAX_ENTRIES,
    field::{At, FieldError},
    read, write,
};
use crate::{
    operator::{CalendarRequest, CalendarView, FreezeView},
    v1,
};
use cofferdam_engine::{id::OperatorId, time::Timestamp};

impl From<CalendarRequest> for v1::SetCalendarRequest {
    fn from(request: CalendarRequest) -> Self {
        Self {
            file_name: write::line(&request.file_name),
            calendar_text: request.calendar_text,
        }
    }
}

impl TryFrom<v1::SetCalendarRequest> for CalendarRequest {
    type Error = FieldError;
    fn try_from(wire: v1::SetCalendarRequest) -> Result<Self, FieldError> {
        Ok(Self {
            file_name: read::filled_line(wire.file_name).at("file_name")?,
            calendar_text: read::file_text(wire.calendar_text).at("calendar_text")?,
        })
    }
}

impl From<CalendarView> for v1::CalendarView {
    fn from(view: CalendarView) -> Self {
        Self {
            declared_by: view.declared_by.map(Into::into),
            declared_at_ms: view.declared_at_ms.map(|at| at.0),
            freezes: write::list(view.freezes),
        }
    }
}

impl TryFrom<v1::CalendarView> for CalendarView {
    type Error = FieldError;
    fn try_from(wire: v1::CalendarView) -> Result<Self, FieldError> {
        let by = wire.declared_by.map(read::name::<OperatorId>).transpose();
        Ok(Self {
            declared_by: by.at("declared_by")?,
            declared_at_ms: wire.declared_at_ms.map(Timestamp),
            freezes: read::list(wire.freezes, MAX_ENTRIES).at("freezes")?,
        })
    }
}

impl From<FreezeView> for v1::FreezeView {
    fn from(view: FreezeView) -> Self {
        Self {
            name: write::line(&view.name),
            is_on: view.is_on,
            from_ms: view.from_ms.0,
            until_ms: view.until_ms.0,
            from: write::line(&view.from),
            until: write::line(&view.until),
            time_zone: write::line(&view.time_zone),
            selection: view.selection.as_deref().map(write::line),
            hosts: view.hosts,
            reason: write::line(&view.reason),
            owner: write::line(&view.owner),
            except_profiles: write::lines(view.except_profiles),
        }
    }
}

impl TryFrom<v1::FreezeView> for FreezeView {
    type Error = FieldError;
    fn try_from(wire: v1::FreezeView) -> Result<Self, FieldError> {
        Ok(Self {
            name: read::filled_line(wire.name).at("name")?,
            is_on: wire.is_on,
            from_ms: Timestamp(wire.from_ms),
            until_ms: Timestamp(wire.until_ms),
            from: read::line(wire.from).at("from")?,
            until: read::line(wire.until).at("until")?,
            time_zone: read::filled_line(wire.time_zone).at("time_zone")?,
            selection: read::optional_line(wire.selection).at("selection")?,
            hosts: wire.hosts,
            reason: read::line(wire.reason).at("reason")?,
            owner: read::line(wire.owner).at("owner")?,
            except_profiles: read::lines(wire.except_profiles).at("except_profiles")?,
        })
    }
}
