//! `device/`: where one is signed in, and ending it.

use rocket::data::Data;
use rocket::http::{Method, Status};

use super::api::{Access, Call, Endpoint, Running};
use super::error::ApiError;
use super::json::{DeviceJson, DevicesJson};
use super::reply::Reply;
use crate::auth::device_id;

pub const ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        path: &["device"],
        name: "Device List",
        access: Access::Session,
        methods: &[(Method::Get, list), (Method::Delete, end_others)],
        allow: "GET, DELETE, HEAD, OPTIONS",
        suffix: true,
        form: false,
    },
    Endpoint {
        path: &["device", "<>"],
        name: "Device",
        access: Access::Session,
        methods: &[(Method::Delete, end)],
        allow: "DELETE, OPTIONS",
        suffix: true,
        form: false,
    },
];

fn list<'a, 'r>(call: &'a Call<'r>, _: Data<'r>) -> Running<'a> {
    Box::pin(async move {
        let sessions = call.app.auth.devices(call.user()?).await?;
        let own = call.session().map(device_id);
        let results = sessions.iter().map(|session| DeviceJson::new(session, own)).collect();
        Ok(call.ok(&DevicesJson { results }))
    })
}

fn end_others<'a, 'r>(call: &'a Call<'r>, _: Data<'r>) -> Running<'a> {
    Box::pin(async move {
        call.app.auth.end_other_devices(call.user()?, call.session()).await?;
        Ok(Reply::empty(Status::NoContent))
    })
}

fn end<'a, 'r>(call: &'a Call<'r>, _: Data<'r>) -> Running<'a> {
    Box::pin(async move {
        if !call.app.auth.end_device(call.user()?, call.arg()).await? {
            return Err(ApiError::NotFound);
        }
        Ok(Reply::empty(Status::NoContent))
    })
}
