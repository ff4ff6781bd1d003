//! Services, as operators declare and see them.

use super::{
    bounds::MAX_ENTRIES,
    field::{At, FieldError},
    read, write,
};
use crate::{
    operator::{ServiceView, ServicesView, SetServicesRequest, UndeclaredService},
    v1,
};

impl From<SetServicesRequest> for v1::SetServicesRequest {
    fn from(request: SetServicesRequest) -> Self {
        Self {
            file_name: write::line(&request.file_name),
            services_text: request.services_text,
        }
    }
}

impl TryFrom<v1::SetServicesRequest> for SetServicesRequest {
    type Error = FieldError;
    fn try_from(wire: v1::SetServicesRequest) -> Result<Self, FieldError> {
        Ok(Self {
            file_name: read::filled_line(wire.file_name).at("file_name")?,
            services_text: read::file_text(wire.services_text).at("services_text")?,
        })
    }
}

impl From<ServicesView> for v1::ServicesView {
    fn from(view: ServicesView) -> Self {
        Self {
            services: write::list(view.services),
            undeclared: write::list(view.undeclared),
        }
    }
}

impl TryFrom<v1::ServicesView> for ServicesView {
    type Error = FieldError;
    fn try_from(wire: v1::ServicesView) -> Result<Self, FieldError> {
        Ok(Self {
            services: read::list(wire.services, MAX_ENTRIES).at("services")?,
            undeclared: read::list(wire.undeclared, MAX_ENTRIES).at("undeclared")?,
        })
    }
}

impl From<ServiceView> for v1::ServiceView {
    fn from(view: ServiceView) -> Self {
        Self {
            service: view.service.into(),
            tier: view.tier,
            owners: write::names(view.owners),
            depends_on: write::names(view.depends_on),
            dependants: write::names(view.dependants),
            hosts: view.hosts,
            description: write::line(&view.description),
        }
    }
}

impl TryFrom<v1::ServiceView> for ServiceView {
    type Error = FieldError;
    fn try_from(wire: v1::ServiceView) -> Result<Self, FieldError> {
        Ok(Self {
            service: read::name(wire.service).at("service")?,
            tier: read::from_one(wire.tier).at("tier")?,
            owners: read::names(wire.owners).at("owners")?,
            depends_on: read::names(wire.depends_on).at("depends_on")?,
            dependants: read::names(wire.dependants).at("dependants")?,
            hosts: wire.hosts,
            description: read::line(wire.description).at("description")?,
        })
    }
}

impl From<UndeclaredService> for v1::UndeclaredService {
    fn from(view: UndeclaredService) -> Self {
        Self {
            service: write::line(&view.service),
            hosts: view.hosts,
        }
    }
}

impl TryFrom<v1::UndeclaredService> for UndeclaredService {
    type Error = FieldError;
    fn try_from(wire: v1::UndeclaredService) -> Result<Self, FieldError> {
        Ok(Self {
            service: read::filled_line(wire.service).at("service")?,
            hosts: wire.hosts,
        })
    }
}
