//! The description of the service for programs that generate clients and tests.

use utoipa::{
    Modify, OpenApi,
    openapi::security::{Http, HttpAuthScheme, SecurityScheme},
};

use crate::route;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "CMAN",
        description = "Entities and relations in texts. Errors have the content type `application/problem+json`.",
    ),
    paths(
        route::extract, route::extract_stream, route::info, route::health, route::live, route::metrics,
    ),
    tags(
        (name = "extraction", description = "What is in a text"),
        (name = "service", description = "What the service says about itself"),
    ),
    modifiers(&Key),
)]
struct Description;

/// The key, which a service may ask for.
struct Key;

impl Modify for Key {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let components = openapi.components.get_or_insert_default();
        components.add_security_scheme("key", SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)));
    }
}

/// The OpenAPI description that `/openapi.json` answers with.
pub fn openapi() -> utoipa::openapi::OpenApi {
    Description::openapi()
}
