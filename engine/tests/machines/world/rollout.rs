//! Starts rollouts from their files, and does what operators do to them.

use super::{World, hosts::platform};
use cofferdam_engine::{
    denial::{Named, Place, Scope},
    digest::Digest,
    exception::Word,
    fleet::{FleetError, FleetEvent},
    id::{HostId, OperatorId, RolloutId},
    patch::{LockFile, Locked, LockedPackage, LockedPlatform, Patch},
    plan::{Plan, PlanErrors, PlanInput},
    reach,
    rollout::{Action, RolloutEvent},
    services::Services,
    spec::Spec,
};
use std::{collections::BTreeMap, time::Duration};

/// A chain of services: web cannot work without api, nor api without db.
pub(crate) const CHAIN: &str = r#"
[service.web]
owners = ["wanda"]
tier = 1
depends_on = ["api"]
[service.api]
owners = ["abel"]
tier = 2
depends_on = ["db"]
[service.db]
owners = ["dora"]
tier = 1
"#;

/// A rollout by its name.
pub(crate) fn rollout_id(name: &str) -> RolloutId {
    RolloutId::new(name).expect("the tests' names are names")
}

/// A rollout file for tests: one package, no waits but those that a test adds. `top` and `tables`
/// go to the top and the end of the file.
pub(crate) fn file(name: &str, package: &str, top: &str, tables: &str) -> String {
    let quick = [
        ("bake", "\"1m\""),
        ("stable_for", "\"1s\""),
        ("grace", "\"0s\""),
        ("stage_within", "\"0s\""),
        ("start_spacing", "\"0s\""),
        ("cells_gap", "\"0s\""),
        ("order", "\"none\""),
    ];
    let said: Vec<&str> = top
        .lines()
        .filter_map(|line| Some(line.split_once('=')?.0.trim()))
        .collect();
    let quick: String = quick
        .iter()
        .filter(|(key, _)| !said.contains(key))
        .map(|(key, value)| format!("{key} = {value}\n"))
        .collect();
    format!(
        "name = \"{name}\"\n{quick}{top}\n\
         [patch]\nkind = \"packages\"\npackages = {{ {package} = \"2\" }}\n\
         [select]\nmatch = 'service == \"web\"'\n{tables}"
    )
}

/// Why a rollout did not start.
#[derive(Debug)]
pub(crate) enum NotStarted {
    NoPlan(PlanErrors),
    Refused(FleetError),
}

impl World {
    /// Plans and starts a rollout from its file.
    pub(crate) fn start(&mut self, file: &str) {
        match self.try_start(file) {
            Ok(()) => {}
            Err(NotStarted::NoPlan(errors)) => panic!("{errors}"),
            Err(NotStarted::Refused(refusal)) => panic!("{refusal:?}"),
        }
    }

    /// The same, or why it is refused.
    pub(crate) fn try_start(&mut self, file: &str) -> Result<(), NotStarted> {
        let plan = self.plan(file).map_err(NotStarted::NoPlan)?;
        self.try_start_planned(plan).map_err(NotStarted::Refused)
    }

    /// Starts a rollout that was planned.
    pub(crate) fn try_start_planned(&mut self, plan: Plan) -> Result<(), FleetError> {
        let (plan, by) = (Box::new(plan), operator());
        self.act(FleetEvent::RolloutStarted { plan, by });
        self.acted()
    }

    /// Amends a rollout by a variant of its file.
    pub(crate) fn amend(&mut self, rollout: &str, variant: &str) {
        match self.try_amend(rollout, variant) {
            Ok(()) => {}
            Err(NotStarted::NoPlan(errors)) => panic!("{errors}"),
            Err(NotStarted::Refused(refusal)) => panic!("{refusal:?}"),
        }
    }

    /// The same, or why it is refused.
    pub(crate) fn try_amend(&mut self, rollout: &str, variant: &str) -> Result<(), NotStarted> {
        let plan = self.amendment(rollout, variant)?;
        self.try_amended(rollout, plan).map_err(NotStarted::Refused)
    }

    /// What an amendment of a rollout as it stands comes to.
    pub(crate) fn amendment(&self, rollout: &str, variant: &str) -> Result<Plan, NotStarted> {
        let rollout = rollout_id(rollout);
        let amended = self.owner.fleet.rollouts().get(&rollout);
        let amended =
            amended.ok_or_else(|| NotStarted::Refused(FleetError::NoRollout(rollout.clone())))?;
        let make = |spec: &Spec, lock: &LockFile, input: &PlanInput<'_>| {
            Plan::amend(spec, lock, input, amended)
        };
        self.plan_by(variant, make).map_err(NotStarted::NoPlan)
    }

    /// Amends a rollout by what was planned.
    pub(crate) fn try_amended(&mut self, rollout: &str, plan: Plan) -> Result<(), FleetError> {
        self.act(FleetEvent::Amended {
            rollout: rollout_id(rollout),
            plan: Box::new(plan),
            by: operator(),
            reason: String::new(),
        });
        self.acted()
    }

    /// What a rollout's file comes to in this world.
    pub(crate) fn plan(&self, file: &str) -> Result<Plan, PlanErrors> {
        self.plan_by(file, Plan::make)
    }

    fn plan_by(
        &self,
        file: &str,
        make: impl Fn(&Spec, &LockFile, &PlanInput<'_>) -> Result<Plan, PlanErrors>,
    ) -> Result<Plan, PlanErrors> {
        let spec = Spec::parse("test.toml", file).unwrap_or_else(|mistakes| panic!("{mistakes}"));
        let fleet = &self.owner.fleet;
        let input = PlanInput {
            hosts: &fleet.inventory(),
            cells: fleet.homes(),
            package_sets: fleet.package_sets(),
            denials: fleet.denials(),
            casualties: &fleet.casualties(),
            unready: &fleet.unready(),
            now: self.now,
            services: fleet.services(),
            calendar: &fleet.freezes(),
        };
        make(&spec, &lock(&spec), &input)
    }

    /// An operator declares the services of the fleet.
    pub(crate) fn declare(&mut self, file: &str) {
        let services = Services::parse("services.toml", file);
        let services = services.unwrap_or_else(|mistakes| panic!("{mistakes}"));
        let by = operator();
        self.act(FleetEvent::ServicesDeclared { services, by });
        self.acted().unwrap_or_else(|refusal| panic!("{refusal:?}"));
    }

    /// The hosts of a rollout's wave in the order in which they start, cell by cell.
    pub(crate) fn turns(&self, rollout: &str, wave: usize) -> Vec<HostId> {
        let plan = self.owner.fleet.rollouts()[&rollout_id(rollout)].plan();
        plan.waves[wave]
            .slices
            .values()
            .flatten()
            .cloned()
            .collect()
    }

    /// An operator asks something of a rollout.
    pub(crate) fn ask(&mut self, rollout: &str, action: Action) {
        self.try_ask(rollout, action)
            .unwrap_or_else(|refusal| panic!("{refusal:?}"));
    }

    /// An operator approves what they may, or why that is refused.
    pub(crate) fn try_approve(&mut self, rollout: &str, by: &str) -> Result<(), FleetError> {
        let event = RolloutEvent::Approved {
            by: OperatorId::new(by).expect("a name"),
            reason: "it may be away tonight".to_owned(),
        };
        let rollout = rollout_id(rollout);
        self.act(FleetEvent::Rollout { rollout, event });
        self.acted()
    }

    /// An operator ends the present bake, or why that is refused.
    pub(crate) fn try_promote(&mut self, rollout: &str, by: &str) -> Result<(), FleetError> {
        let event = RolloutEvent::Promoted {
            by: OperatorId::new(by).expect("a name"),
            reason: "it looks well".to_owned(),
        };
        let rollout = rollout_id(rollout);
        self.act(FleetEvent::Rollout { rollout, event });
        self.acted()
    }

    /// The same, or why it is refused.
    pub(crate) fn try_ask(&mut self, rollout: &str, action: Action) -> Result<(), FleetError> {
        self.try_ask_within(rollout, action, Scope::Fleet)
    }

    /// The same; a rollback denies no further than this.
    pub(crate) fn try_ask_within(
        &mut self,
        rollout: &str,
        action: Action,
        reach: Scope,
    ) -> Result<(), FleetError> {
        let event = RolloutEvent::Asked {
            action,
            by: operator(),
            reason: String::new(),
            reach,
        };
        self.act(FleetEvent::Rollout {
            rollout: rollout_id(rollout),
            event,
        });
        self.acted()
    }

    /// An operator says something of hosts.
    pub(crate) fn except(&mut self, rollout: &str, word: Word, hosts: &[&str]) {
        let hosts: Vec<HostId> = hosts.iter().map(|host| super::id(host)).collect();
        self.try_except(rollout, word, &hosts)
            .unwrap_or_else(|refusal| panic!("{refusal:?}"));
    }

    /// The same, or why it is refused.
    pub(crate) fn try_except(
        &mut self,
        rollout: &str,
        word: Word,
        hosts: &[HostId],
    ) -> Result<(), FleetError> {
        let event = RolloutEvent::Excepted {
            word,
            hosts: hosts.iter().cloned().collect(),
            by: operator(),
            reason: "too big".to_owned(),
        };
        self.act(FleetEvent::Rollout {
            rollout: rollout_id(rollout),
            event,
        });
        self.acted()
    }

    /// An operator denies to the fleet what a rollout installs.
    pub(crate) fn try_deny(&mut self, rollout: &str) -> Result<(), FleetError> {
        let named = Named::Rollout {
            rollout: rollout_id(rollout),
        };
        self.act(FleetEvent::Denied {
            named,
            place: Place::Fleet,
            by: operator(),
            reason: String::new(),
        });
        self.acted()
    }

    /// An operator lifts the denials that a rollout left.
    pub(crate) fn try_lift(&mut self, rollout: &str) -> Result<(), FleetError> {
        let named = Named::Rollout {
            rollout: rollout_id(rollout),
        };
        self.act(FleetEvent::DenialLifted {
            named,
            only_at: None,
            by: operator(),
            reason: String::new(),
        });
        self.acted()
    }

    /// What became of what was done last.
    pub(super) fn acted(&mut self) -> Result<(), FleetError> {
        let before = self.owner.refusals.len();
        self.advance(Duration::ZERO);
        match self.owner.refusals.len() > before {
            true => Err(self.owner.refusals.pop().expect("there is one more")),
            false => Ok(()),
        }
    }
}

pub(crate) fn operator() -> OperatorId {
    OperatorId::new("anna").expect("a name")
}

/// The lock file of a rollout of packages, its wishes met, or of practice.
fn lock(spec: &Spec) -> LockFile {
    if *spec.patch() == Patch::Noop {
        return LockFile {
            rollout: spec.name().to_string(),
            content: Locked::Noop,
        };
    }
    let (wishes, goes_on) = match spec.patch() {
        Patch::Packages { packages } => {
            let wishes = packages
                .iter()
                .map(|(name, wish)| (name.clone(), wish.to_string()));
            (wishes.collect(), reach::Reach::Every)
        }
        Patch::Security => upgrades(),
        Patch::Advisory(_) | Patch::Config(_) | Patch::Noop => {
            panic!("the tests' rollouts are of packages")
        }
    };
    let packages = wishes.into_iter().map(|(name, version)| LockedPackage {
        sha256: Digest::of(&name),
        name,
        version,
        size: 1,
    });
    LockFile {
        rollout: spec.name().to_string(),
        content: Locked::Packages {
            platforms: vec![LockedPlatform {
                reach: goes_on,
                fixes: None,
                platform: platform(),
                packages: packages.collect(),
            }],
        },
    }
}

/// What every host has pending, and what none has.
fn upgrades() -> (BTreeMap<String, String>, reach::Reach) {
    let pending = ["curl", "nowhere", "openssl"];
    let installed = reach::Reach::Upgrade {
        needed_by: BTreeMap::new(),
    };
    (
        pending.map(|name| (name.to_owned(), "2".to_owned())).into(),
        installed,
    )
}
