//! Pictures that people send: whatever the bytes, what is kept is a small JPEG of chatd's own making, or nothing.

use std::io::Cursor;
use std::panic::catch_unwind;
use std::time::{Duration, Instant};

use chatd::picture::{MOST_SENT, PictureError, SIDE, portrait};
use image::{DynamicImage, GenericImageView as _, ImageFormat, Rgb, RgbImage, Rgba, RgbaImage};
use libtest_mimic::Trial;
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use serde_json::{Value, json};

use super::generated::mutate;
use super::once;
use crate::support::backend::{BOTH, Backend, on_each};
use crate::support::server::{Answer, Client, World, chatd};

pub fn trials() -> Vec<Trial> {
    let mut trials = on_each(&BOTH, "security::s22_a_picture_is_drawn_anew", s22_a_picture_is_drawn_anew);
    trials.extend(on_each(&BOTH, "security::s22_what_is_no_picture_is_refused", s22_what_is_no_picture_is_refused));
    trials.extend(on_each(&BOTH, "security::s16_pictures_are_for_people_here", s16_pictures_are_for_people_here));
    trials.extend(once![
        s22_a_picture_says_nothing_but_how_it_looks,
        s22_pictures_that_burst_are_refused,
        s39_no_picture_breaks_the_server,
    ]);
    trials
}

const AVATAR: &str = "/api/v1/account/avatar/";
const CANARY: &[u8] = b"canary-52.5163N-13.3777E";

fn written(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Vec::new();
    picture.write_to(&mut Cursor::new(&mut bytes), format).expect("a picture can be written");
    bytes
}

/// Red above blue.
fn flag(width: u32, height: u32) -> DynamicImage {
    let red_above = |_, y| if y < height / 2 { Rgb([220, 0, 0]) } else { Rgb([0, 0, 220]) };
    DynamicImage::ImageRgb8(RgbImage::from_fn(width, height, red_above))
}

async fn put(client: &Client, kind: &str, bytes: impl Into<Vec<u8>>) -> Answer {
    client.send("PUT", AVATAR, &[("Content-Type", kind)], Some(bytes.into())).await
}

/// The picture with this name, as it is sent: its headers and its bytes.
async fn fetch(world: &World, client: &Client, name: &Value, accept: &str) -> reqwest::Response {
    let name = name.as_str().expect("a name");
    let url = format!("{}/api/v1/avatar/{name}/", world.server.url);
    let ask = reqwest::Client::new().get(url).header("Cookie", client.cookies()).header("Accept", accept);
    ask.send().await.expect("an answer")
}

fn is_portrait(bytes: &[u8]) -> DynamicImage {
    assert_eq!(image::guess_format(bytes).ok(), Some(ImageFormat::Jpeg));
    assert!(bytes.len() <= 128 * 1024, "{}", bytes.len());
    let kept = image::load_from_memory(bytes).expect("it can be read");
    assert_eq!(kept.dimensions(), (SIDE, SIDE));
    kept
}

async fn s22_a_picture_is_drawn_anew(backend: Backend) {
    let world = World::new(backend).await;
    let (ann, bob) = world.two().await;
    ann.say("bob", "hi").await;
    let mut names = Vec::new();
    for (kind, format) in [
        ("image/png", ImageFormat::Png),
        ("image/jpeg; x=y", ImageFormat::Jpeg),
        ("IMAGE/WEBP", ImageFormat::WebP),
        ("image/png", ImageFormat::Jpeg),
    ] {
        let size = u32::try_from(names.len()).expect("few") * 100 + 60;
        let profile = put(&ann, kind, written(&flag(size + 40, size), format)).await.expect(200);
        let name = profile["avatar"].clone();
        assert_eq!(bob.get("/api/v1/conversation/ann/").await.expect(200)["avatar"], name);
        assert_eq!(bob.get("/api/v1/profile/ann/").await.expect(200)["avatar"], name);
        assert_eq!(ann.get("/api/v1/session/").await.expect(200)["avatar"], name);
        let answer = fetch(&world, &bob, &name, "image/avif,image/webp,*/*;q=0.8").await;
        let header = |name| answer.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        assert_eq!(answer.status(), 200);
        assert_eq!(header("content-type"), "image/jpeg");
        assert_eq!(header("cache-control"), "private, max-age=31536000, immutable");
        assert_eq!(header("x-content-type-options"), "nosniff");
        assert_eq!(header("content-security-policy"), "default-src 'none'; sandbox");
        assert_eq!(header("cross-origin-resource-policy"), "same-origin");
        assert!(header("vary").contains("Cookie"), "whoever signs in next asks anew");
        let kept = is_portrait(&answer.bytes().await.expect("bytes"));
        let (above, below) = (kept.get_pixel(128, 40), kept.get_pixel(128, 215));
        assert!(above[0] > 180 && above[2] < 60 && below[2] > 180 && below[0] < 60, "{above:?} {below:?}");
        names.push(name);
    }
    // In a window of its own, and for whoever takes pictures alone, it is the picture too.
    let last = names.last().expect("four").clone();
    for accept in ["text/html,*/*", "image/*", "image/jpeg"] {
        let answer = fetch(&world, &bob, &last, accept).await;
        assert_eq!(
            (answer.status().as_u16(), &answer.headers()["content-type"]),
            (200, &"image/jpeg".parse().unwrap())
        );
    }
    // Those before are gone.
    assert_eq!(fetch(&world, &ann, &names[0], "*/*").await.status(), 404);
    ann.send("DELETE", AVATAR, &[], None).await.expect(204);
    ann.send("DELETE", AVATAR, &[], None).await.expect(204);
    assert_eq!(fetch(&world, &ann, &last, "*/*").await.status(), 404);
    assert_eq!(bob.get("/api/v1/profile/ann/").await.expect(200)["avatar"], Value::Null);
}

async fn s22_what_is_no_picture_is_refused(backend: Backend) {
    let world = World::new(backend).await;
    let ann = world.person("ann").await;
    let png = written(&flag(40, 40), ImageFormat::Png);
    for kind in ["image/gif", "image/svg+xml", "text/html", "application/json", "multipart/form-data", ""] {
        let refused = put(&ann, kind, png.clone()).await.expect(415);
        assert_eq!(refused, json!({"detail": format!("Unsupported media type \"{kind}\" in request.")}));
    }
    let broken = "Upload a valid image. The file you uploaded was either not an image or a corrupted image.";
    let svg = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>".to_vec();
    for bytes in [Vec::new(), svg, b"GIF89a\x01\0\x01\0\0\0\0;".to_vec(), png[..png.len() / 2].to_vec(), vec![0; 1000]]
    {
        let refused = put(&ann, "image/png", bytes).await.expect(400);
        assert_eq!(refused, json!({"avatar": [broken]}));
    }
    put(&ann, "image/png", vec![0; MOST_SENT + 1]).await.expect(413);
    assert_eq!(ann.get("/api/v1/account/profile/").await.expect(200)["version"], 0);
    let nobody = Client::new(&world.server.url);
    put(&nobody, "image/png", png).await.expect(403);
    nobody.send("DELETE", AVATAR, &[], None).await.expect(403);
}

async fn s16_pictures_are_for_people_here(backend: Backend) {
    let world = World::new(backend).await;
    let (ann, bob) = world.two().await;
    let profile = put(&ann, "image/png", written(&flag(40, 40), ImageFormat::Png)).await.expect(200);
    let name = &profile["avatar"];
    assert_eq!(fetch(&world, &bob, name, "*/*").await.status(), 200);
    assert_eq!(fetch(&world, &Client::new(&world.server.url), name, "*/*").await.status(), 403);
    let (absent, other) = (json!("0".repeat(32)), json!("..%2f..%2fetc"));
    for unknown in [&absent, &other] {
        assert_eq!(fetch(&world, &bob, unknown, "*/*").await.status(), 404);
    }
    // Nobody puts or removes somebody else's.
    bob.send("DELETE", AVATAR, &[], None).await.expect(204);
    assert_eq!(fetch(&world, &bob, name, "*/*").await.status(), 200);
    // Who is not active any more is not shown.
    assert!(chatd(&world, &[], &["user", "set", "ann", "--inactive"]).status.success());
    assert_eq!(fetch(&world, &bob, name, "*/*").await.status(), 404);
}

/// A JPEG with what a camera writes behind its first two bytes: which way is up, and where it was taken.
fn from_a_camera(jpeg: &[u8]) -> Vec<u8> {
    let mut exif = b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x01".to_vec();
    // Orientation 3: upside down.
    exif.extend(b"\x01\x12\0\x03\0\0\0\x01\0\x03\0\0\0\0\0\0");
    exif.extend(CANARY);
    let length = u16::try_from(exif.len() + 2).expect("short").to_be_bytes();
    [&jpeg[..2], b"\xff\xe1", &length[..], &exif[..], b"\xff\xfe\0\x1a", CANARY, &jpeg[2..]].concat()
}

async fn s22_a_picture_says_nothing_but_how_it_looks() {
    let jpeg = from_a_camera(&written(&flag(90, 90), ImageFormat::Jpeg));
    let page = [b"<html><script>alert(1)</script>", CANARY].concat();
    let polyglot = [&jpeg[..], &page, b"PK\x05\x06", &[0; 18]].concat();
    for sent in [jpeg, polyglot] {
        assert!(sent.windows(CANARY.len()).any(|part| part == CANARY), "it says where it was taken");
        let kept = portrait(&sent).expect("a portrait");
        let holds = |what: &[u8]| kept.windows(what.len()).any(|part| part == what);
        assert!(!holds(CANARY) && !holds(b"Exif") && !holds(b"script") && !holds(b"PK\x05\x06"));
        assert!(kept.ends_with(b"\xff\xd9"), "nothing stands behind it");
        // Upside down no more: what was blue below is above.
        let above = is_portrait(&kept).get_pixel(128, 40);
        assert!(above[2] > 180 && above[0] < 60, "{above:?}");
    }
    // What is seen through is white.
    let clear = DynamicImage::ImageRgba8(RgbaImage::from_pixel(30, 20, Rgba([0, 0, 0, 0])));
    for format in [ImageFormat::Png, ImageFormat::WebP] {
        let pixel = is_portrait(&portrait(&written(&clear, format)).expect("a portrait")).get_pixel(9, 9);
        assert!(pixel.0[..3].iter().all(|part| *part > 250), "{pixel:?}");
    }
    // The wildest picture stays within its bounds.
    let noise = RgbImage::from_fn(256, 256, |_, _| Rgb(rand::random()));
    is_portrait(&portrait(&written(&DynamicImage::ImageRgb8(noise), ImageFormat::Png)).expect("a portrait"));
}

/// A PNG that says it is so large, with a few bytes for all of it.
fn png_of(width: u32, height: u32) -> Vec<u8> {
    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    let head = [&width.to_be_bytes()[..], &height.to_be_bytes(), b"\x08\x06\0\0\0"].concat();
    let row = vec![0; 200_000];
    let mut packed = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    for _ in 0..400 {
        std::io::Write::write_all(&mut packed, &row).expect("memory");
    }
    for (name, data) in [(b"IHDR", head), (b"IDAT", packed.finish().expect("memory")), (b"IEND", Vec::new())] {
        let body = [&name[..], &data].concat();
        let mut crc = flate2::Crc::new();
        crc.update(&body);
        png.extend(u32::try_from(data.len()).expect("short").to_be_bytes());
        png.extend(body);
        png.extend(crc.sum().to_be_bytes());
    }
    png
}

/// Kilobytes that a process had at most.
fn most_memory(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("Linux says so");
    let line = status.lines().find(|line| line.starts_with("VmHWM")).expect("its peak");
    line.split_whitespace().nth(1).and_then(|kb| kb.parse().ok()).expect("a number")
}

async fn s22_pictures_that_burst_are_refused() {
    // One of 80 MB in 100 KB, of 400 MB, and those that say they are larger than anything.
    let bombs: Vec<Vec<u8>> = vec![
        png_of(5_000, 4_000),
        png_of(10_000, 10_000),
        png_of(65_535, 65_535),
        png_of(u32::MAX >> 1, 2),
        // 65,535 pixels wide and high.
        b"\xff\xd8\xff\xc0\0\x11\x08\xff\xff\xff\xff\x03\x01\x11\0\x02\x11\x01\x03\x11\x01\xff\xda".to_vec(),
        // 16,384 pixels wide and high.
        b"RIFF\x20\0\0\0WEBPVP8L\x0d\0\0\0\x2f\xff\xff\xff\x0f\0\0\0\0\0\0\0\0".to_vec(),
    ];
    for (number, bomb) in bombs.iter().enumerate() {
        assert!(bomb.len() < 200_000, "{number} is small");
        let started = Instant::now();
        assert!(portrait(bomb).is_err(), "{number}");
        assert!(started.elapsed() < Duration::from_secs(2), "{number}: {:?}", started.elapsed());
    }
    assert_eq!(portrait(&bombs[0]), Err(PictureError::TooLarge));
    let world = World::new(Backend::Sqlite).await;
    let ann = world.person("ann").await;
    put(&ann, "image/png", written(&flag(40, 40), ImageFormat::Png)).await.expect(200);
    let before = most_memory(world.server.pid());
    let sends = (0..4).flat_map(|_| &bombs).map(|bomb| put(&ann, "image/png", bomb.clone()));
    for answer in futures_util::future::join_all(sends).await {
        answer.expect(400);
    }
    let grown = most_memory(world.server.pid()).saturating_sub(before);
    assert!(grown < 64 * 1024, "refused before anything was made for them: {grown} KB");
    // The largest that is taken, many at once: one after the other.
    let large = written(&flag(2800, 2800), ImageFormat::Png);
    let sends = (0..6).map(|_| put(&ann, "image/png", large.clone()));
    for answer in futures_util::future::join_all(sends).await {
        answer.expect(200);
    }
    let grown = most_memory(world.server.pid()).saturating_sub(before);
    assert!(grown < 200 * 1024, "one at a time: {grown} KB");
}

/// Generated input, the same in every run: pictures with turned bits, moved parts and cut ends.
async fn s39_no_picture_breaks_the_server() {
    let grey = DynamicImage::ImageLuma8(image::GrayImage::from_fn(9, 9, |x, y| {
        image::Luma([u8::try_from(x * y).unwrap_or(0)])
    }));
    let clear =
        DynamicImage::ImageRgba8(RgbaImage::from_fn(8, 12, |x, _| Rgba([9, 99, 0, u8::try_from(x * 30).unwrap_or(0)])));
    let deep = DynamicImage::ImageRgb16(flag(12, 8).into_rgb16());
    let mut corpus = vec![from_a_camera(&written(&flag(24, 24), ImageFormat::Jpeg)), written(&deep, ImageFormat::Png)];
    for format in [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::WebP] {
        corpus.push(written(&flag(16, 16), format));
        corpus.push(written(if format == ImageFormat::Jpeg { &grey } else { &clear }, format));
    }
    assert!(corpus.iter().all(|picture| portrait(picture).is_ok()), "need pictures that are whole");
    let inputs = std::env::var("CHATD_TEST_INPUTS").ok().and_then(|n| n.parse().ok()).unwrap_or(4000);
    let mut random = StdRng::seed_from_u64(0x91c7);
    let (mut kept, mut refused) = (0, 0);
    for _ in 0..inputs {
        let input = mutate(&mut random, &corpus);
        let Ok(made) = catch_unwind(|| portrait(&input)) else {
            panic!("this input breaks a decoder: {input:02x?}");
        };
        assert!(made.as_ref().map_or(0, Vec::len) <= 128 * 1024);
        if made.is_ok() { kept += 1 } else { refused += 1 }
    }
    assert!(kept > inputs / 100 && refused > inputs / 100, "both ways were gone: {kept} and {refused}");
}
