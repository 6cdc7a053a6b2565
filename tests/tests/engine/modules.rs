//! Modules: nested, repeated, with providers of their own, with `depends_on`.

use crate::support::world::{World, summary};

const INNER: &str = "[variable.n]\n[resource.fake_thing.x]\ncount = 2\nname = '${var.n}-${count.index}'\n[output.ids]\nvalue = \
                     '${fake_thing.x[*].id}'\n";
const OUTER: &str = "[variable.n]\n[module.inner]\nsource = '../inner'\nfor_each = { l = 'left', r = 'right' }\nn = \
                     '${var.n}-${each.value}'\n[output.all]\nvalue = '${{ for k, m in module.inner : k => m.ids }}'\n";

fn nested() -> World {
    let mut world = World::new();
    world.module("inner", INNER);
    world.module("outer", OUTER);
    world
}

#[tokio::test]
async fn nested_modules_repeat_inside_each_other() {
    let text = |n: u32| {
        format!(
            "[module.outer]\nsource = './outer'\ncount = {n}\nn = 'o${{count.index}}'\n[output.count]\nvalue = \
             '${{length(module.outer)}}'\n"
        )
    };
    let mut world = nested();
    world.apply(&text(2)).await;
    assert_eq!(world.cloud.len(), 8);
    assert!(world.addresses().contains(&"module.outer[1].module.inner[\"r\"].fake_thing.x[0]".to_owned()));
    assert_eq!(
        world.attribute("module.outer[1].module.inner[\"r\"].fake_thing.x[0]", "name").as_deref(),
        Some("o1-right-0")
    );
    assert_eq!(world.plan(&text(1)).await.counts(), (0, 0, 4));
    world.apply(&text(1)).await;
    assert_eq!((world.cloud.len(), world.addresses().len()), (4, 4));
}

#[tokio::test]
async fn an_output_of_a_module_orders_what_refers_to_it() {
    let text =
        "[module.inner]\nsource = './inner'\nn = 'n'\n[resource.fake_thing.user]\nname = '${module.inner.ids[1]}'\n";
    let mut world = nested();
    world.apply(text).await;
    assert!(world.attribute("fake_thing.user", "name").unwrap().starts_with("thing-"));
    let needs: Vec<_> = world.object("fake_thing.user").unwrap().dependencies.iter().map(ToString::to_string).collect();
    assert_eq!(needs, ["module.inner.fake_thing.x"]);
}

/// G06
#[tokio::test]
async fn g06_depends_on_of_a_module_call_holds_for_everything_inside() {
    let text = "[module.first]\nsource = './inner'\nn = 'first'\n[module.second]\nsource = './inner'\nn = \
                'second'\ndepends_on = ['module.first']\n";
    let mut world = nested();
    world.apply(text).await;
    for (i, j) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
        let (first, then) = (format!("create fake_thing first-{i}"), format!("create fake_thing second-{j}"));
        assert!(world.cloud.is_ordered(&first, &then), "{first}, {then}");
    }
    world.cloud.forget_calls();
    world.destroy(text).await;
    assert!(world.cloud.is_ordered("delete fake_thing second-1", "delete fake_thing first-0"));
}

/// G06
#[tokio::test]
async fn g06_data_in_a_module_with_depends_on_is_read_while_planning_where_nothing_changes() {
    let mut world = World::new();
    world.module("m", "[data.fake_lookup.x]\nname = 'x'\n[output.id]\nvalue = '${data.fake_lookup.x.id}'\n");
    let text = |other: &str| {
        format!(
            "[resource.fake_bucket.x]\nname = 'x'\n[module.m]\nsource = './m'\ndepends_on = \
             ['fake_bucket.x']\n[resource.fake_thing.other]\nname = '{other}-${{module.m.id}}'\n"
        )
    };
    world.apply(&text("1")).await;
    assert_eq!(summary(&world.plan(&text("2")).await), "fake_thing.other Update");
}

#[tokio::test]
async fn a_module_gets_the_providers_that_its_call_passes() {
    let mut world = World::new();
    world.module("m", "[variable.n]\n[resource.fake_bucket.b]\nname = '${var.n}'\n");
    let text = "[[provider.fake]]\nregion = 'home'\n[[provider.fake]]\nalias = 'away'\nregion = 'away'\n[module.h]\nsource = \
                './m'\nn = 'h'\n[module.a]\nsource = './m'\nn = 'a'\nproviders = { fake = 'fake.away' }\n\
                [resource.fake_bucket.own]\nname = 'own'\nprovider = 'fake.away'\n";
    let mut found = vec![];
    world.apply(text).await;
    for at in ["module.h.fake_bucket.b", "module.a.fake_bucket.b", "fake_bucket.own"] {
        found.push(world.attribute(at, "region").unwrap());
    }
    assert_eq!(found, ["home", "away", "away"]);
    let provider = world.state.resources.iter().find(|(a, _)| a.to_string() == "module.a.fake_bucket.b").unwrap();
    assert_eq!(provider.1.provider, "provider[\"registry.terraform.io/lakeform/fake\"].away");
    // An orphan is deleted with the configuration that made it.
    let without = text.split("[resource.fake_bucket.own]").next().unwrap();
    world.apply(without).await;
    assert_eq!(world.cloud.list(), ["fake_bucket a", "fake_bucket h"]);
}

#[tokio::test]
async fn two_modules_may_refer_to_each_other_where_their_resources_do_not() {
    let mut world = World::new();
    world.module(
        "m",
        "[variable.other]\ndefault = 'none'\n[resource.fake_thing.first]\nname = 'first'\n[resource.fake_thing.second]\nname \
         = '${var.other}'\n[output.first]\nvalue = '${fake_thing.first.id}'\n",
    );
    let text = "[module.a]\nsource = './m'\nother = '${module.b.first}'\n[module.b]\nsource = './m'\nother = \
                '${module.a.first}'\n";
    world.apply(text).await;
    assert_eq!(world.cloud.len(), 4);
}

#[tokio::test]
async fn v04_a_sensitive_output_of_a_module_stays_sensitive() {
    let mut world = World::new();
    world.module("m", "[output.s]\nvalue = 'hunter2'\nsensitive = true\n");
    let told = world.refusal("[module.m]\nsource = './m'\n[output.o]\nvalue = '${module.m.s}'\n").await;
    assert!(told.contains("sensitive") && !told.contains("hunter2"), "{told}");
}

#[tokio::test]
async fn a_validation_in_a_module_names_the_variable() {
    let mut world = World::new();
    world.module(
        "m",
        "[variable.env]\n[[variable.env.validation]]\ncondition = '${contains([\"dev\"], var.env)}'\nerror_message = 'dev \
         only'\n",
    );
    let told = world.refusal("[module.m]\nsource = './m'\nenv = 'prod'\n").await;
    assert!(told.contains("env") && told.contains("dev only"), "{told}");
}
