//! Pictures that people send of themselves: looked at within bounds, and drawn anew. Nothing of what was sent is kept but
//! how it looks: no place where it was taken, no other file behind it.

use std::io::Cursor;
use std::sync::Arc;
use std::time::Duration;

use image::codecs::jpeg::{JpegDecoder, JpegEncoder};
use image::codecs::png::PngDecoder;
use image::codecs::webp::WebPDecoder;
use image::imageops::FilterType;
use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, Limits, RgbaImage};
use tokio::sync::Semaphore;
use tokio::time::timeout;

/// The sides of a portrait, in pixels.
pub const SIDE: u32 = 256;
/// The most bytes of what is sent, and of a portrait.
pub const MOST_SENT: usize = 2 * 1024 * 1024;
const MOST_KEPT: usize = 128 * 1024;
/// The most pixels of a side, and of a picture: clients make it smaller before they send it.
const MOST_SIDE: u32 = 8192;
const MOST_PIXELS: u64 = 8 * 1024 * 1024;
/// The most bytes that decoding takes at one time, besides the picture that was sent.
const MOST_MEMORY: u64 = 64 * 1024 * 1024;
/// How long somebody waits for their turn.
const PATIENCE: Duration = Duration::from_secs(10);
/// The quality of what is kept; if that is too long, the next one.
const QUALITIES: [u8; 3] = [88, 70, 40];

/// Why no portrait was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PictureError {
    /// It is no PNG, JPEG or WebP, or a broken one.
    #[error("Upload a valid image. The file you uploaded was either not an image or a corrupted image.")]
    Broken,
    /// More pixels than are looked at.
    #[error("This image has too many pixels. At most 8 million are taken.")]
    TooLarge,
    /// Too many others wait for theirs.
    #[error("too many pictures at once")]
    Busy,
}

impl From<ImageError> for PictureError {
    fn from(e: ImageError) -> Self {
        match e {
            ImageError::Limits(_) => Self::TooLarge,
            _ => Self::Broken,
        }
    }
}

/// Makes portraits, one at a time: that bounds the memory. Clones share the turn.
#[derive(Clone)]
pub struct Painter(Arc<Semaphore>);

impl Default for Painter {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(1)))
    }
}

impl Painter {
    /// A square JPEG of what was sent, on a thread of its own.
    pub async fn portrait(&self, sent: Vec<u8>) -> Result<Vec<u8>, PictureError> {
        let turn = timeout(PATIENCE, self.0.clone().acquire_owned()).await;
        let turn = turn.map_err(|_| PictureError::Busy)?.map_err(|_| PictureError::Busy)?;
        let made = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            portrait(&sent)
        });
        // A defect in a decoder costs this picture, and nothing else.
        made.await.unwrap_or(Err(PictureError::Broken))
    }
}

/// A square JPEG of what was sent: its middle, [`SIDE`] wide, upright, on white.
pub fn portrait(sent: &[u8]) -> Result<Vec<u8>, PictureError> {
    let mut picture = decode(sent)?;
    if picture.color().has_alpha() {
        picture = DynamicImage::ImageRgba8(on_white(picture.into_rgba8()));
    }
    let (width, height) = (picture.width(), picture.height());
    let side = width.min(height);
    if width != height {
        picture = picture.crop_imm((width - side) / 2, (height - side) / 2, side, side);
    }
    let small = picture.resize_exact(SIDE, SIDE, FilterType::CatmullRom).into_rgb8();
    for quality in QUALITIES {
        let mut kept = Vec::new();
        JpegEncoder::new_with_quality(&mut kept, quality).encode_image(&small)?;
        if kept.len() <= MOST_KEPT {
            return Ok(kept);
        }
    }
    Err(PictureError::TooLarge)
}

/// The picture, upright. What it says of its size is looked at before anything is made for it.
fn decode(sent: &[u8]) -> Result<DynamicImage, PictureError> {
    let limits = || {
        let mut limits = Limits::default();
        (limits.max_image_width, limits.max_image_height) = (Some(MOST_SIDE), Some(MOST_SIDE));
        limits.max_alloc = Some(MOST_MEMORY);
        limits
    };
    let sent = Cursor::new(sent);
    match image::guess_format(sent.get_ref())? {
        ImageFormat::Png => finish(PngDecoder::with_limits(sent, limits())?, limits()),
        ImageFormat::Jpeg => finish(JpegDecoder::new(sent)?, limits()),
        ImageFormat::WebP => finish(WebPDecoder::new(sent)?, limits()),
        _ => Err(PictureError::Broken),
    }
}

fn finish(mut decoder: impl ImageDecoder, limits: Limits) -> Result<DynamicImage, PictureError> {
    let (width, height) = decoder.dimensions();
    if width == 0 || height == 0 {
        return Err(PictureError::Broken);
    }
    if u64::from(width) * u64::from(height) > MOST_PIXELS || decoder.total_bytes() > MOST_MEMORY {
        return Err(PictureError::TooLarge);
    }
    decoder.set_limits(limits)?;
    let upright = decoder.orientation()?;
    let mut picture = DynamicImage::from_decoder(decoder)?;
    picture.apply_orientation(upright);
    Ok(picture)
}

fn on_white(mut picture: RgbaImage) -> RgbaImage {
    for pixel in picture.pixels_mut() {
        let alpha = u16::from(pixel[3]);
        if alpha < 255 {
            for part in &mut pixel.0[..3] {
                let mixed = (u16::from(*part) * alpha + 255 * (255 - alpha)) / 255;
                *part = u8::try_from(mixed).unwrap_or(255);
            }
            pixel[3] = 255;
        }
    }
    picture
}
