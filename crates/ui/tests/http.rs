//! The rules of HTTP around all pages, asked of the whole router.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Multipart;
use axum::http::{HeaderMap, Request, Response, StatusCode, header};
use axum::routing::{get, post};
use ondol_kernel::{Millis, Rng};
use ondol_ui::{DiskTrouble, Form, Frame, Lang, Page, Road, Surroundings, Trouble, assets, key};
use tower::ServiceExt as _;

struct Clinic;

impl Surroundings for Clinic {
    fn facility(&self, _: Lang) -> String {
        "Clinic <7>".to_owned()
    }

    fn road(&self) -> Road {
        Road::Waiting { items: 2 }
    }

    fn disk(&self) -> Option<DiskTrouble> {
        Some(DiskTrouble::ReadOnly)
    }

    fn practice(&self) -> bool {
        false
    }

    fn now(&self) -> Millis {
        Millis(1_772_408_400_000)
    }

    fn utc_offset_minutes(&self) -> i32 {
        540
    }
}

struct Sevens;

impl Rng for Sevens {
    fn fill(&self, to: &mut [u8]) {
        to.fill(7);
    }
}

#[allow(clippy::unused_async, reason = "a handler")]
async fn panics() -> StatusCode {
    panic!("on purpose")
}

async fn photo(mut parts: Multipart) -> String {
    let mut lengths = Vec::new();
    while let Ok(Some(part)) = parts.next_field().await {
        let name = part.name().unwrap_or_default().to_owned();
        lengths.push(format!("{name}:{}", part.bytes().await.map_or(0, |b| b.len())));
    }
    lengths.join(",")
}

fn app() -> Router {
    let screens = Router::new()
        .route("/echo", post(async |form: Form| form.value("name").to_owned()))
        .route("/photo", post(photo))
        .route("/save", post(async |page: Page| page.done("/", key!("note-saved"))))
        .route("/panics", get(panics))
        .route("/full", post(async || Trouble::Disk(DiskTrouble::Full)))
        .route("/typed", get(async |_: axum::extract::Query<Vec<u32>>| "never"));
    let frame = Frame {
        surroundings: Arc::new(Clinic),
        rng: Arc::new(Sevens),
        secret: [3; 32],
        https: true,
    };
    ondol_ui::guard(ondol_ui::pages(screens), frame)
}

async fn ask(request: Request<Body>) -> (StatusCode, HeaderMap, Vec<u8>) {
    let response: Response<Body> = app().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    (parts.status, parts.headers, to_bytes(body, usize::MAX).await.unwrap().to_vec())
}

fn visit() -> String {
    format!("ondol_visit={}", "07".repeat(16))
}

async fn token() -> String {
    let request = Request::get("/nowhere").header("cookie", visit()).body(Body::empty()).unwrap();
    let (_, _, body) = ask(request).await;
    let body = String::from_utf8(body).unwrap();
    let rest = body.split_once("name=\"csrf\" content=\"").unwrap().1;
    rest.split('"').next().unwrap().to_owned()
}

fn form(path: &str, body: String) -> Request<Body> {
    Request::post(path)
        .header("cookie", visit())
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Body::from(body))
        .unwrap()
}

#[tokio::test]
async fn a_form_with_its_token_is_carried_out_and_one_without_keeps_what_was_typed() {
    let token = token().await;
    let (status, _, body) = ask(form("/echo", format!("csrf={token}&name=a%26b"))).await;
    assert_eq!((status, body.as_slice()), (StatusCode::OK, b"a&b".as_slice()));

    for wrong in ["", "csrf=&", "csrf=0123456789abcdef0123456789abcdef&"] {
        let (status, _, body) = ask(form("/echo", format!("{wrong}name=a%26%3Cb"))).await;
        let body = String::from_utf8(body).unwrap();
        assert_eq!(status, StatusCode::FORBIDDEN, "{wrong}");
        assert!(body.contains("name=\"name\" value=\"a&#38;&#60;b\""), "{body}");
        assert!(body.contains("action=\"/echo\""));
    }
}

#[tokio::test]
async fn a_password_is_never_written_back() {
    let (status, _, body) = ask(form("/echo", "name=x&password=geheim".to_owned())).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    assert!(!String::from_utf8(body).unwrap().contains("geheim"));
}

#[tokio::test]
async fn a_token_of_another_browser_is_refused() {
    let token = token().await;
    let other = format!("ondol_visit={}", "08".repeat(16));
    let mut request = form("/echo", format!("csrf={token}&name=x"));
    request.headers_mut().insert(header::COOKIE, other.parse().unwrap());
    assert_eq!(ask(request).await.0, StatusCode::FORBIDDEN);
}

fn multipart(first: &str, value: &str, bytes: usize) -> Request<Body> {
    let body = format!(
        "--x\r\nContent-Disposition: form-data; name=\"{first}\"\r\n\r\n{value}\r\n--x\r\n\
         Content-Disposition: form-data; name=\"photo\"; filename=\"p.jpg\"\r\n\r\n{}\r\n--x--\r\n",
        "y".repeat(bytes)
    );
    Request::post("/photo")
        .header("cookie", visit())
        .header("content-type", "multipart/form-data; boundary=x")
        .body(Body::from(body))
        .unwrap()
}

#[tokio::test]
async fn a_picture_passes_whole_when_the_token_is_its_first_field() {
    let token = token().await;
    let (status, _, body) = ask(multipart("csrf", &token, 300_000)).await;
    let body = String::from_utf8(body).unwrap();
    assert_eq!((status, body.as_str()), (StatusCode::OK, "csrf:32,photo:300000"));
    assert_eq!(ask(multipart("csrf", "wrong", 10)).await.0, StatusCode::FORBIDDEN);
    assert_eq!(ask(multipart("other", &token, 10)).await.0, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_script_sends_the_token_as_a_header() {
    for (sent, status) in [(token().await, StatusCode::OK), ("no".into(), StatusCode::FORBIDDEN)] {
        let mut request = form("/echo", "name=x".to_owned());
        request.headers_mut().insert("x-csrf-token", sent.parse().unwrap());
        assert_eq!(ask(request).await.0, status);
    }
}

#[tokio::test]
async fn every_page_has_the_headers_of_safety_and_is_kept_by_nobody() {
    let request = Request::get("/nowhere").body(Body::empty()).unwrap();
    let (_, headers, _) = ask(request).await;
    let policy = headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
    assert!(policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe"), "{policy}");
    assert_eq!(headers[header::CACHE_CONTROL], "no-store");
    assert_eq!(headers[header::REFERRER_POLICY], "no-referrer");
    assert_eq!(headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
    let cookie = headers[header::SET_COOKIE].to_str().unwrap();
    for part in ["SameSite=Strict", "HttpOnly", "Secure"] {
        assert!(cookie.contains(part), "{cookie}");
    }
}

#[tokio::test]
async fn failures_are_pages_in_the_language_of_the_reader() {
    for (path, status, korean, english) in [
        ("/nowhere", StatusCode::NOT_FOUND, "그런 페지가 없습니다", "There is no such page"),
        ("/save", StatusCode::METHOD_NOT_ALLOWED, "그런 페지가 없습니다", "There is no such page"),
        ("/typed?a=1", StatusCode::BAD_REQUEST, "읽을수 없습니다", "cannot be read"),
        (
            "/panics",
            StatusCode::INTERNAL_SERVER_ERROR,
            "일을 끝내지 못하였습니다",
            "could not be finished",
        ),
    ] {
        for (lang, words) in [("ko", korean), ("en", english)] {
            let request = Request::get(path).header("accept-language", lang);
            let (found, headers, body) = ask(request.body(Body::empty()).unwrap()).await;
            let body = String::from_utf8(body).unwrap();
            assert_eq!(found, status, "{path}");
            assert!(headers[header::CONTENT_TYPE].to_str().unwrap().starts_with("text/html"));
            assert!(body.contains(words), "{path} {lang}: {body}");
            assert!(body.contains("Clinic &#60;7&#62;"), "names are escaped");
        }
    }
}

#[tokio::test]
async fn the_language_is_kept_and_the_way_back_stays_on_the_node() {
    let token = token().await;
    let back = format!("csrf={token}&lang=en&back=%2F%2Felsewhere");
    let (status, headers, _) = ask(form("/language", back)).await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    assert_eq!(headers[header::LOCATION], "/");
    let cookie = headers[header::SET_COOKIE].to_str().unwrap();
    assert!(cookie.starts_with("ondol_lang=en;"), "{cookie}");
}

#[tokio::test]
async fn what_was_done_is_said_once_and_only_in_our_own_words() {
    let (status, headers, _) = ask(form("/save", format!("csrf={}", token().await))).await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    assert!(headers[header::SET_COOKIE].to_str().unwrap().starts_with("ondol_note=note-saved;"));

    let with = |note: &str| {
        let cookie = format!("{}; ondol_note={note}; ondol_lang=en", visit());
        Request::get("/road/chip").header("cookie", cookie).body(Body::empty()).unwrap()
    };
    let (_, headers, _) = ask(with("note-saved")).await;
    assert!(headers[header::SET_COOKIE].to_str().unwrap().contains("Max-Age=0"));
    let (_, headers, _) = ask(with("trouble-broken")).await;
    assert!(!headers.contains_key(header::SET_COOKIE), "only notes are said");
}

#[tokio::test]
async fn static_files_are_kept_for_ever_under_the_name_of_their_content() {
    let url = assets::url("app.css");
    let request = Request::get(url).header("accept-encoding", "gzip").body(Body::empty()).unwrap();
    let (status, headers, _) = ask(request).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(headers[header::CONTENT_ENCODING], "gzip");
    assert!(headers[header::CACHE_CONTROL].to_str().unwrap().contains("immutable"));
    assert!(!headers.contains_key(header::SET_COOKIE));
    let request = Request::get("/static/app.000000000000.css").body(Body::empty()).unwrap();
    assert_eq!(ask(request).await.0, StatusCode::NOT_FOUND);
}

/// Bytes of an answer as they travel: body and headers, with the status line.
fn weight(headers: &HeaderMap, body: &[u8]) -> usize {
    let heads = headers.iter().map(|(n, v)| n.as_str().len() + v.len() + 4).sum::<usize>();
    body.len() + heads + 40
}

#[tokio::test]
async fn the_first_page_weighs_at_most_60_kb_and_the_frame_of_a_later_one_little() {
    let get = |path: &str| {
        let request = Request::get(path).header("accept-encoding", "gzip, br");
        request.body(Body::empty()).unwrap()
    };
    let (_, headers, body) = ask(get("/nowhere")).await;
    assert_eq!(headers[header::CONTENT_ENCODING], "gzip");
    let page = weight(&headers, &body);
    let mut all = page;
    for asset in assets::all() {
        let (_, headers, body) = ask(get(&asset.url)).await;
        all += weight(&headers, &body);
    }
    println!("page {page} B, with everything {all} B");
    assert!(page < 5_000, "{page}");
    assert!(all + 10_000 < 60_000, "{all}: leaves no room for what stands on the page");
}

/// Before somebody types in vain, and with what to do.
#[tokio::test]
async fn every_page_says_what_is_wrong_with_the_disk() {
    for (lang, said) in [("en", "cannot be written to"), ("ko-KP", "디스크에 쓸수 없어")] {
        let request = Request::get("/nowhere").header("accept-language", lang);
        let (_, _, body) = ask(request.body(Body::empty()).unwrap()).await;
        let body = String::from_utf8(body).unwrap();
        assert!(body.contains(said) && body.contains("role=\"alert\""), "{body}");
    }
    let (status, _, body) = ask(form("/full", format!("csrf={}", token().await))).await;
    let body = String::from_utf8(body).unwrap();
    assert_eq!(status, StatusCode::INSUFFICIENT_STORAGE);
    assert!(body.contains("This could not be saved") || body.contains("보관하지 못하였습니다"));
}
