//! chatd: a self-hosted person-to-person message center.
//!
//! The story of one message: `http::messages` reads the request, [`chat`] checks it and calls
//! [`store::Messages::send`], which numbers and stores it in one transaction with the event-log rows of both people;
//! after the commit [`bus`] tells whoever is connected that a log has grown, and `http::socket` writes the frame.
//! The database is the truth, the bus is a hint.
//!
//! Dependencies point one way: `domain <- store, bus, mail, limits <- chat, auth, export <- http <- cli`.

#![forbid(unsafe_code)]

pub mod auth;
pub mod bus;
pub mod chat;
pub mod cli;
pub mod config;
pub mod domain;
pub mod escape;
pub mod export;
pub mod faults;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
pub mod http;
pub mod limits;
pub mod mail;
pub mod picture;
pub mod seal;
pub mod store;
