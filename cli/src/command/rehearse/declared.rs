//! What a coordinator has declared, as the engine knows it.

use anyhow::{Context as _, Result};
use cofferdam_engine::{
    calendar::{Calendar, Freeze},
    document::quote,
    id::{OperatorId, ServiceName},
    policy::Profile,
    select::Selection,
    services::Services,
    time_zone::TimeZone,
};
use cofferdam_proto::operator::{CalendarView, FreezeView, ServiceView, ServicesView};

/// The services.
///
/// # Errors
/// When they are such as this version would not take.
pub(super) fn services(view: &ServicesView) -> Result<Services> {
    let file: String = view.services.iter().map(service).collect();
    Services::parse("the coordinator's services", &file)
        .context("the coordinator declares services that this version cannot read")
}

/// A service as a services file has it.
fn service(view: &ServiceView) -> String {
    let list = |names: Vec<&str>| {
        let quoted: Vec<String> = names.into_iter().map(quote).collect();
        quoted.join(", ")
    };
    let owners = list(view.owners.iter().map(OperatorId::as_str).collect());
    let needs = list(view.depends_on.iter().map(ServiceName::as_str).collect());
    let (name, tier) = (quote(view.service.as_str()), view.tier);
    let mut text = format!("[service.{name}]\nowners = [{owners}]\ntier = {tier}\n");
    if !needs.is_empty() {
        text += &format!("depends_on = [{needs}]\n");
    }
    if !view.description.is_empty() {
        text += &format!("description = {}\n", quote(&view.description));
    }
    text
}

/// The freezes.
///
/// # Errors
/// When one is such as this version does not know.
pub(super) fn calendar(view: CalendarView) -> Result<Calendar> {
    let freezes: Result<_> = view.freezes.into_iter().map(freeze).collect();
    Ok(Calendar { freezes: freezes? })
}

fn freeze(view: FreezeView) -> Result<Freeze> {
    let what = || format!("the coordinator's freeze {} cannot be read", view.name);
    let selection = view.selection.as_deref().map(Selection::parse);
    let profile = |name: &String| {
        let known = Profile::WORDS.iter().find(|(word, _)| word == name);
        known.map(|(_, profile)| *profile).with_context(what)
    };
    Ok(Freeze {
        from: view.from_ms,
        until: view.until_ms,
        time_zone: TimeZone::parse(&view.time_zone).with_context(what)?,
        selection: selection.transpose().with_context(what)?,
        except_profiles: view
            .except_profiles
            .iter()
            .map(profile)
            .collect::<Result<_>>()?,
        name: view.name.clone(),
        reason: view.reason.clone(),
        owner: view.owner.clone(),
    })
}
