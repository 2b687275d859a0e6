//! The page on which one types a text and sees what is found in it.

use std::sync::LazyLock;

use axum::{
    extract::Request,
    http::{HeaderName, HeaderValue, header},
    middleware::Next,
    response::{Html, Response},
};
use cman_view::{drawing_script, drawing_style};

/// The page. All of it is in one file, and it asks this service alone.
static PAGE: LazyLock<String> = LazyLock::new(|| {
    let style = drawing_style() + include_str!("../page/page.css");
    let script = drawing_script() + include_str!("../page/page.js");
    // The placeholders are not part of the style and the script.
    include_str!("../page/page.html").replace("{{style}}", &style).replace("{{script}}", &script)
});

pub(super) async fn page() -> Html<&'static str> {
    Html(PAGE.as_str())
}

/// Tells browsers to take no answer for another type than it has, and to put none into a frame.
pub(super) async fn safe_headers(request: Request, next: Next) -> Response {
    const HEADERS: [(HeaderName, &str); 3] = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    let mut response = next.run(request).await;
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_complete_and_refers_to_nothing_outside() {
        assert!(!PAGE.contains("{{"));
        assert!(PAGE.contains("default-src 'none'") && PAGE.contains("connect-src 'self'"));
        let own = PAGE.replace("http://www.w3.org/2000/svg", "");
        for address in ["http:", "https:", "src=\"", "url(", "@import"] {
            assert!(!own.contains(address), "{address}");
        }
    }
}
