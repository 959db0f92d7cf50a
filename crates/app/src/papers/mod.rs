//! What is printed: the register of a day, the tally of a month, forms for power cuts, cards. Half
//! of the work is on paper, and what was written there is typed in afterwards.

mod card;
mod day;
mod downtime;
mod entry;
mod tally;

pub use card::Card;
pub use day::{Day, DayRow};
pub use downtime::{DowntimeForm, FORM_ROWS, PaperRow};
pub use entry::TypedRow;
pub use tally::{AGE_GROUPS, AgeGroup, Cell, Tally, TallyLine};
