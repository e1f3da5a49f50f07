//! Request bodies.

use std::time::Duration;

use rocket::data::{ByteUnit, Data};
use tokio::io::AsyncReadExt as _;
use tokio::time::timeout;

use super::error::ApiError;

/// Of a body that is too long, so many bytes more are read, for so long. A connection that ends while its client still
/// sends is reset, and the client may never see why.
const SURPLUS: u64 = 16 * 1024 * 1024;
const SURPLUS_FOR: Duration = Duration::from_secs(2);

/// Reads a body whole; one that is longer than `limit` bytes is refused.
pub(super) async fn read_body(data: Data<'_>, limit: usize) -> Result<Vec<u8>, ApiError> {
    let limit = limit as u64;
    let mut stream = data.open(ByteUnit::Byte(limit + SURPLUS));
    let mut body = Vec::new();
    match (&mut stream).take(limit + 1).read_to_end(&mut body).await {
        Ok(_) if body.len() as u64 <= limit => Ok(body),
        Ok(_) => {
            let _ = timeout(SURPLUS_FOR, tokio::io::copy(&mut stream, &mut tokio::io::sink())).await;
            Err(ApiError::TooLarge)
        }
        Err(_) => Err(ApiError::BadRequest("The request ended too early.".to_owned())),
    }
}
