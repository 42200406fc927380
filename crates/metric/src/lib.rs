//! Amazon CloudWatch as values: series and their points, statistics and expressions over them, alarms.
//!
//! A [`Table`] knows the series and holds the points of the last minutes; older ones are in blocks, rows that the caller
//! keeps ([`row`]). What is asked for is read into an [`Ask`], for which the caller gathers points by [`Periods`]. Of values
//! their [`Statistics`] are kept for each minute, later for five minutes and for an hour ([`Tier`]).
//!
//! Facts: the CloudWatch API reference 2010-08-01 and "CloudWatch concepts" in the user guide. Nothing here knows what a queue,
//! a topic or a rule is.

mod alarm;
mod check;
mod data;
mod expression;
mod list;
mod pack;
mod put;
mod refusal;
mod series;
mod statistic;
mod statistics_request;
mod table;
mod tier;
mod window;

pub mod row;

pub use alarm::{
    Action, Alarm, Alarms, Comparison, Decided, HISTORY_DAYS, HistoryRequest, Item, Missing, Outlook, Settings, State,
    StateValue, Transition, Verdict, region_name,
};
pub use data::DataRequest;
pub use pack::{Damaged, Delta, decode_block, decode_deltas, encode_block, encode_deltas};
pub use put::{Put, read as read_put, too_many_series};
pub use series::{Metric, Series, SeriesId, Unit, UnknownUnit};
pub use statistic::{Statistic, Statistics};
pub use statistics_request::StatisticsRequest;
pub use table::{Fold, Row, SERIES_MAX, Table, TooManySeries};
pub use tier::{BlockId, Points, Tier, roll_up};
pub use window::{Ask, Periods, Window, all_units};
