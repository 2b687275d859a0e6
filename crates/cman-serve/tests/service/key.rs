//! A service with a key.

use cman_serve::{ApiKey, Settings};

use crate::{
    client::{JSON, get, send},
    engines::extractor,
    running::serve,
};

#[test]
fn a_key_is_needed_for_all_but_health_and_the_page() {
    let settings = Settings { api_key: Some(ApiKey::new("s3cret").unwrap()), ..Settings::default() };
    let service = serve(extractor(), settings);
    let post =
        |key: &str| send(service.address, "POST", "/extract", &[JSON, ("Authorization", key)], b"{\"text\": \"a\"}");
    assert_eq!(post("Bearer s3cret").status, 200);
    assert_eq!(post("bearer s3cret").status, 200);
    for wrong in ["Bearer s3cre", "Bearer s3crets", "Bearer ", "Basic s3cret", "s3cret", "Bearer \u{e9}"] {
        let answer = post(wrong);
        answer.problem(401);
        assert_eq!(answer.headers["www-authenticate"], "Bearer");
    }
    for path in ["/info", "/metrics"] {
        assert_eq!(get(service.address, path).problem(401), "expected the header `Authorization: Bearer KEY`");
    }
    send(service.address, "POST", "/extract/stream", &[], b"").problem(401);
    for path in ["/", "/health", "/health/live", "/openapi.json"] {
        assert_eq!(get(service.address, path).status, 200, "{path}");
    }
    assert_eq!(get(service.address, "/nothing").status, 404);
}
