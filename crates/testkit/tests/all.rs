//! Tests of the whole crate in one program: each program more is a link of the whole house.

mod support;

mod browser_alarm;
mod browser_consult;
mod browser_day;
mod browser_door;
mod browser_itself;
mod browser_journey;
mod browser_papers;
mod browser_people;
mod browser_stick;
mod browser_truth;
mod browser_voice;
mod browser_weight;
mod process_backup;
mod process_clients;
mod process_country;
mod process_demo;
mod process_disk;
mod process_import;
mod process_moved;
mod process_postgres;
mod process_road;
mod process_stick;
