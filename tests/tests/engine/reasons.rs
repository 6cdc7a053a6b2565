//! Why an action was chosen: conformance case V09.

use lakeform_engine::{PlanMode, Reason};

use crate::support::world::{World, address, change};

const BEFORE: &str = r#"
[resource.fake_thing.a]
name = "x"
[resource.fake_thing.counted]
count = 2
name = "x"
[resource.fake_thing.keyed]
for_each = ["k", "l"]
name = "x"
[resource.fake_thing.plain]
name = "x"
[resource.fake_thing.on]
enabled = true
name = "x"
[resource.fake_thing.gone]
name = "x"
[resource.fake_thing.user]
name = "x"
lifecycle = { replace_triggered_by = ["fake_thing.a"] }
[resource.fake_thing.tainted]
name = "x"
[resource.fake_thing.asked]
name = "x"
[module.m]
source = "./m"
[module.counted]
source = "./m"
count = 2
"#;

const AFTER: &str = r#"
[resource.fake_thing.a]
name = "x"
size = 2
[resource.fake_thing.counted]
count = 1
name = "x"
[resource.fake_thing.keyed]
for_each = ["l"]
name = "x"
[resource.fake_thing.plain]
for_each = ["new"]
name = "x"
[resource.fake_thing.on]
enabled = false
name = "x"
[resource.fake_thing.user]
name = "x"
lifecycle = { replace_triggered_by = ["fake_thing.a"] }
[resource.fake_thing.tainted]
name = "x"
[resource.fake_thing.asked]
name = "x"
[data.fake_lookup.unknown]
name = "${fake_thing.a.id}"
[data.fake_lookup.waiting]
name = "x"
depends_on = ["fake_thing.a"]
[module.counted]
source = "./m"
count = 1
"#;

#[tokio::test]
async fn v09_every_action_says_why() {
    let mut world = World::new();
    world.module("m", "[resource.fake_thing.inner]\nname = 'x'\n");
    world.apply(BEFORE).await;
    world.taint("fake_thing.tainted");
    world.options.replace = vec![address("fake_thing.asked")];
    let plan = world.plan(AFTER).await;
    for (at, wanted) in [
        ("fake_thing.a", Some(Reason::ReplaceBecauseCannotUpdate)),
        ("fake_thing.tainted", Some(Reason::ReplaceBecauseTainted)),
        ("fake_thing.asked", Some(Reason::ReplaceByRequest)),
        ("fake_thing.user", Some(Reason::ReplaceByTriggers)),
        ("fake_thing.gone", Some(Reason::DeleteBecauseNoResourceConfig)),
        // Terraform speaks of the module only where the call is still there.
        ("module.m.fake_thing.inner", Some(Reason::DeleteBecauseNoResourceConfig)),
        ("module.counted[1].fake_thing.inner", Some(Reason::DeleteBecauseNoModule)),
        ("fake_thing.plain", Some(Reason::DeleteBecauseWrongRepetition)),
        ("fake_thing.plain[\"new\"]", None),
        ("fake_thing.counted[0]", None),
        ("fake_thing.counted[1]", Some(Reason::DeleteBecauseCountIndex)),
        ("fake_thing.keyed[\"k\"]", Some(Reason::DeleteBecauseEachKey)),
        ("fake_thing.on", Some(Reason::DeleteBecauseDisabled)),
        ("data.fake_lookup.unknown", Some(Reason::ReadBecauseConfigUnknown)),
        ("data.fake_lookup.waiting", Some(Reason::ReadBecauseDependencyPending)),
    ] {
        assert_eq!(change(&plan, at).reason, wanted, "{at}");
    }
    world.options.mode = PlanMode::Destroy;
    world.options.replace.clear();
    assert_eq!(change(&world.plan(BEFORE).await, "fake_thing.a").reason, None);
}
