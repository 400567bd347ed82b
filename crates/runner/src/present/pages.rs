//! HTML pages, self-contained, from templates with a common base.

use anyhow::{Context, Result};
use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value};

/// The page's file name, below a directory of results.
pub const PAGE: &str = "index.html";

/// What templates extend, include or import.
const SHARED: [(&str, &str); 3] = [
    ("base.html", include_str!("pages/base.html")),
    ("style.css", include_str!("pages/style.css")),
    ("macros.html", include_str!("pages/macros.html")),
];

/// Renders a page. All values are escaped except those marked as safe, and a missing value is an error.
///
/// # Errors
/// If the template does not fit its values.
pub fn render_page(template: &str, values: Value) -> Result<String> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.add_global("version", env!("CARGO_PKG_VERSION"));
    for (name, text) in SHARED.into_iter().chain([("page", template)]) {
        environment.add_template(name, text).with_context(|| format!("template {name}"))?;
    }
    let page = environment.get_template("page").and_then(|template| template.render(values));
    page.context("the page cannot be rendered")
}

#[cfg(test)]
mod tests {
    use super::*;
    use minijinja::context;

    const TEMPLATE: &str = r#"{% extends "base.html" %}{% from "macros.html" import cells %}
        {% block title %}{{ name }}{% endblock %}{% block content %}<h1>{{ name }}</h1>{% endblock %}"#;

    #[test]
    fn a_page_has_head_style_and_foot_and_escapes_its_values() {
        let page = render_page(TEMPLATE, context! { name => "a < b" }).unwrap();
        assert!(page.starts_with("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n"), "{page}");
        assert!(page.contains("<title>a &lt; b</title>") && page.contains("<h1>a &lt; b</h1>"), "{page}");
        assert!(page.contains("font: 16px/1.55 system-ui, \"Segoe UI\""), "the style is not escaped: {page}");
        assert!(page.contains(concat!("gmm ", env!("CARGO_PKG_VERSION"))), "{page}");
    }

    #[test]
    fn a_missing_value_is_an_error() {
        assert!(render_page(TEMPLATE, context! {}).is_err());
    }
}
