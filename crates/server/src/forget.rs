//! Rows of trails that are gone.

use store::{Space, StoreError, Unit};

use crate::app::App;

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
