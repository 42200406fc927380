//! Rows of what is gone: of trails, and of stacks that were deleted long ago.

use std::sync::Arc;

use aws_api::{ApiError, Change, Entity, Timestamp};
use stack::Stack;
use store::{Space, StoreError, Unit};

use crate::app::{App, unavailable};
use crate::stacks::event_key;

/// Rows that are removed in one unit.
const UNIT_COUNT: usize = 10_000;

/// Removes the rows of `space` whose keys begin with `kind` and the key of a trail that is gone, with a zero behind it.
///
/// Of each trail one row is looked at, unless the trail is gone. `is_there` is asked after a row was read.
pub async fn rows_of_gone_trails(
    app: &App,
    space: Space,
    kind: &[u8],
    is_there: impl Fn(&[u8]) -> bool,
) -> Result<(), StoreError> {
    let mut unit = Unit::new();
    let (mut count, mut from) = (0, kind.to_vec());
    while let Some((row, _)) = app.store.range(space, from..).next().transpose()? {
        let Some(rest) = row.strip_prefix(kind) else { break };
        let trail = rest.split(|byte| *byte == 0).next().unwrap_or_default();
        if is_there(trail) {
            from = [kind, trail, &[1]].concat();
            continue;
        }
        unit.delete(space, row.to_vec());
        from = [&row[..], &[0]].concat();
        count += 1;
        if count % UNIT_COUNT == 0 {
            app.store.commit(std::mem::take(&mut unit)).await?;
        }
    }
    if !unit.is_empty() {
        app.store.commit(unit).await?;
    }
    Ok(())
}

/// Removes the stacks of which nothing is told any more, each in one unit with its events.
pub async fn deleted_stacks(app: &Arc<App>, now: Timestamp) -> Result<(), ApiError> {
    loop {
        let old = app.registry().stacks.forgotten(now).next().map(|stack| (stack.key(), stack.uuid.clone()));
        let Some((key, uuid)) = old else { return Ok(()) };
        let mut unit = Unit::new();
        for row in app.store.range(Space::Meta, event_key(&uuid, 0)..event_key(&uuid, u64::MAX)) {
            let (event, _) = row.map_err(|error| unavailable(&error))?;
            unit.delete(Space::Meta, event);
        }
        app.change_with(|registry| {
            let mut changes =
                registry.stacks.stack(&key).map(|stack| registry.stacks.let_go(stack)).unwrap_or_default();
            changes.push(Change::delete::<Stack>(key));
            Ok(((), changes, unit))
        })
        .await?;
    }
}

#[cfg(test)]
mod tests {
    use aws_api::RequestContext;
    use aws_api::cloudformation::{
        CloudFormationApi as _, CreateChangeSetRequest, CreateStackRequest, DeleteStackRequest, ListChangeSetsRequest,
        ListStacksRequest,
    };
    use store::Options;

    use super::*;
    use crate::management::tests::services;
    use crate::services::Services;

    const TEMPLATE: &str = "Resources: {W: {Type: 'AWS::CloudFormation::WaitConditionHandle'}}";
    const DAY_S: i64 = 86_400;

    fn context(services: &Services) -> RequestContext {
        RequestContext {
            caller: services.0.config.keys[0].caller(),
            region: "us-east-1".into(),
            now: crate::clock::now(),
            request_id: "r".into(),
            endpoint: "http://localhost".into(),
            via: None,
        }
    }

    async fn create(services: &Services, ctx: &RequestContext, name: &str) -> String {
        let req = CreateStackRequest {
            stack_name: Some(name.into()),
            template_body: Some(TEMPLATE.into()),
            ..CreateStackRequest::default()
        };
        services.create_stack(ctx, req).await.unwrap().stack_id
    }

    fn events(services: &Services, id: &str) -> usize {
        let uuid = id.rsplit('/').next().unwrap();
        services.0.store.range(Space::Meta, event_key(uuid, 0)..event_key(uuid, u64::MAX)).count()
    }

    #[tokio::test]
    async fn a_deleted_stack_is_remembered_for_ninety_days() {
        let dir = tempfile::tempdir().unwrap();
        let services = services(&dir, Options::default()).await;
        let ctx = context(&services);
        let (gone, kept) = (create(&services, &ctx, "gone").await, create(&services, &ctx, "kept").await);
        let planned = CreateChangeSetRequest {
            stack_name: Some("gone".into()),
            change_set_name: Some("c".into()),
            template_body: Some(TEMPLATE.replace("W:", "X:")),
            ..CreateChangeSetRequest::default()
        };
        services.create_change_set(&ctx, planned).await.unwrap();
        let sets = || ListChangeSetsRequest { stack_name: Some(gone.clone()), ..ListChangeSetsRequest::default() };
        assert_eq!(services.list_change_sets(&ctx, sets()).await.unwrap().summaries.len(), 1);
        let req = DeleteStackRequest { stack_name: Some("gone".into()), ..DeleteStackRequest::default() };
        services.delete_stack(&ctx, req).await.unwrap();
        assert_eq!(services.list_change_sets(&ctx, sets()).await.unwrap().summaries.len(), 0);

        let names = async || -> Vec<String> {
            let listed = services.list_stacks(&ctx, ListStacksRequest::default()).await.unwrap();
            listed.stack_summaries.into_iter().map(|stack| stack.stack_name).collect()
        };
        deleted_stacks(&services.0, ctx.now.plus_secs(90 * DAY_S - 1)).await.unwrap();
        assert_eq!(names().await.len(), 2);
        assert!(events(&services, &gone) > 0);
        deleted_stacks(&services.0, ctx.now.plus_secs(91 * DAY_S)).await.unwrap();
        assert_eq!(names().await, ["kept"]);
        assert_eq!(events(&services, &gone), 0);
        assert!(events(&services, &kept) > 0);
    }
}
