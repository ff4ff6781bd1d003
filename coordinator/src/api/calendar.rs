//! The freeze calendar: declared as a whole, shown as a whole.

use super::call;
use crate::{driver::DriverHandle, view};
use cofferdam_engine::{calendar::Calendar, fleet::FleetEvent, id::OperatorId};
use cofferdam_proto::{
    operator::{CalendarRequest, CalendarView},
    status::{CallError, CallErrorKind},
};

/// Declares a calendar in place of the one before.
///
/// # Errors
/// [`CallError`] with every mistake of the file.
pub(super) async fn set(
    driver: &DriverHandle,
    by: OperatorId,
    asked: &CalendarRequest,
) -> Result<CalendarView, CallError> {
    let calendar = Calendar::parse(&asked.file_name, &asked.calendar_text)
        .map_err(|mistakes| CallError::of(CallErrorKind::Invalid, &mistakes))?;
    tracing::info!(%by, freezes = calendar.freezes.len(), "operator declares the calendar");
    let event = FleetEvent::CalendarDeclared { calendar, by };
    call::act(driver, event).await?;
    show(driver).await
}

/// Shows the calendar.
///
/// # Errors
/// [`CallError`] while the process stops.
pub(super) async fn show(driver: &DriverHandle) -> Result<CalendarView, CallError> {
    let look = |situation: view::Situation<'_>| view::calendar(situation);
    driver.ask(look).await.map_err(call::stopping)
}
