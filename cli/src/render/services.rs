//! The services of a fleet.

use crate::render::{View, table::table};
use cofferdam_proto::operator::{ServiceView, ServicesView};
use serde::Serialize;

/// Services, in order of their names.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub struct ServiceList(pub ServicesView);

impl ServiceList {
    /// One service of all. Nothing when nobody declared it and no host has it.
    pub fn only(self, name: &str) -> Option<Self> {
        let mut view = self.0;
        view.services
            .retain(|service| service.service.as_str() == name);
        view.undeclared.retain(|other| other.service == name);
        (!view.services.is_empty() || !view.undeclared.is_empty()).then_some(Self(view))
    }
}

impl View for ServiceList {
    fn text(&self) -> String {
        let ServicesView {
            services,
            undeclared,
        } = &self.0;
        let mut text = match services.is_empty() && undeclared.is_empty() {
            true => {
                "no services yet: `cofferdam services set services.toml` declares them\n".to_owned()
            }
            false => String::new(),
        };
        let headings = [
            "service",
            "tier",
            "owners",
            "hosts",
            "depends on",
            "dependants",
        ];
        text += &table(headings, services.iter().map(row).collect());
        for service in services.iter().filter(|s| !s.description.is_empty()) {
            text += &format!("{}: {}\n", service.service, service.description);
        }
        for other in undeclared {
            text += &format!(
                "warning: {} hosts have service {}, which nobody declared\n",
                other.hosts, other.service
            );
        }
        text
    }
}

fn row(service: &ServiceView) -> [String; 6] {
    [
        service.service.to_string(),
        service.tier.to_string(),
        joined(&service.owners),
        service.hosts.to_string(),
        joined(&service.depends_on),
        joined(&service.dependants),
    ]
}

fn joined(names: &[impl ToString]) -> String {
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use cofferdam_engine::id::{OperatorId, ServiceName};
    use cofferdam_proto::operator::UndeclaredService;

    fn service(name: &str) -> ServiceName {
        ServiceName::new(name).unwrap()
    }

    fn list() -> ServiceList {
        let view = |name: &str, depends_on: &[&str], dependants: &[&str]| ServiceView {
            service: service(name),
            tier: 1,
            owners: vec![
                OperatorId::new("ana").unwrap(),
                OperatorId::new("ben").unwrap(),
            ],
            depends_on: depends_on.iter().map(|name| service(name)).collect(),
            dependants: dependants.iter().map(|name| service(name)).collect(),
            hosts: 8,
            description: if name == "web" {
                "the shop".to_owned()
            } else {
                String::new()
            },
        };
        ServiceList(ServicesView {
            services: vec![view("db", &[], &["web"]), view("web", &["db"], &[])],
            undeclared: vec![UndeclaredService {
                service: "queue".to_owned(),
                hosts: 2,
            }],
        })
    }

    #[test]
    fn services_show_owners_dependencies_and_what_nobody_declared() {
        insta::assert_snapshot!(list().text(), @r#"
    SERVICE  TIER  OWNERS    HOSTS  DEPENDS ON  DEPENDANTS
    db       1     ana, ben  8                  web
    web      1     ana, ben  8      db
    web: the shop
    warning: 2 hosts have service queue, which nobody declared
    "#);
    }

    #[test]
    fn one_service_is_shown_alone_declared_or_not() {
        assert_eq!(list().only("db").unwrap().0.services.len(), 1);
        assert_eq!(list().only("queue").unwrap().0.undeclared.len(), 1);
        assert!(list().only("nothing").is_none());
    }
}
