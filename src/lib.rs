//! Letterpress: a self-hosted email newsletter service, one binary and one SQLite file.
//!
//! Modules stand in the order of the alphabet; ARCHITECTURE.md has the map, in the order of the data.

pub mod app;
pub mod cli;
pub(crate) mod compose;
pub(crate) mod config;
pub mod delivery;
pub(crate) mod files;
pub(crate) mod format;
pub(crate) mod http;
pub mod inbox;
pub mod link;
pub mod mail;
pub mod manuscript;
pub mod model;
pub(crate) mod notice;
pub(crate) mod operate;
pub mod pace;
pub(crate) mod page;
pub mod people;
pub(crate) mod phrases;
pub(crate) mod publish;
pub(crate) mod schedule;
pub mod smtp;
pub(crate) mod stdio;
pub mod store;
