"""The fields of a well-dressed response: what a shop behind a content delivery network sends beside its page.

With the eight that nginx adds by itself (Server, Date, Content-Type, Content-Length, Last-Modified, Connection, ETag,
Accept-Ranges) there are 60. No cookie is among them: the bare clients keep none, and the others' jars would be
what is compared.
"""

from __future__ import annotations

POLICY = (
    "default-src 'self'; script-src 'self' 'nonce-r4nd0mV4lue' https://cdn.example.com https://js.example.net; "
    "style-src 'self' 'unsafe-inline' https://fonts.example.com; img-src 'self' data: https:; font-src 'self' "
    "https://fonts.example.org; connect-src 'self' https://api.example.com wss://live.example.com; frame-src "
    "https://pay.example.com; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'self'; "
    "report-uri https://reports.example.com/csp"
)

FIELDS = (
    ("Access-Control-Allow-Credentials", "true"),
    ("Access-Control-Allow-Headers", "Authorization, Content-Type, X-Requested-With, X-Request-ID"),
    ("Access-Control-Allow-Methods", "GET, HEAD, OPTIONS, POST"),
    ("Access-Control-Allow-Origin", "https://www.example.com"),
    ("Access-Control-Expose-Headers", "ETag, Link, X-Request-ID, X-RateLimit-Limit, X-RateLimit-Remaining"),
    ("Access-Control-Max-Age", "86400"),
    ("Age", "137"),
    ("Alt-Svc", 'h3=":443"; ma=86400'),
    ("Cache-Control", "public, max-age=300, s-maxage=600, stale-while-revalidate=60, stale-if-error=86400"),
    ("CDN-Cache-Control", "max-age=600"),
    ("CF-Cache-Status", "HIT"),
    ("CF-Ray", "8f2b61c7de9a4d3e-FRA"),
    ("Content-Language", "en-GB"),
    ("Content-Security-Policy", POLICY),
    ("Content-Security-Policy-Report-Only", "require-trusted-types-for 'script'"),
    ("Critical-CH", "Sec-CH-UA-Platform-Version"),
    ("Accept-CH", "Sec-CH-UA, Sec-CH-UA-Mobile, Sec-CH-UA-Platform-Version, Viewport-Width"),
    ("Cross-Origin-Embedder-Policy", 'unsafe-none; report-to="default"'),
    ("Cross-Origin-Opener-Policy", "same-origin-allow-popups"),
    ("Cross-Origin-Resource-Policy", "cross-origin"),
    ("Expires", "Mon, 23 Nov 2026 12:05:00 GMT"),
    ("Link", "<https://cdn.example.com/main.css>; rel=preload; as=style"),
    ("Link", "<https://cdn.example.com/main.js>; rel=preload; as=script; nopush"),
    ("Link", '<https://www.example.com/page/2>; rel="next"'),
    ("NEL", '{"success_fraction":0.01,"report_to":"default","max_age":604800}'),
    ("Origin-Agent-Cluster", "?1"),
    (
        "Permissions-Policy",
        "camera=(), microphone=(), geolocation=(self), payment=(self), interest-cohort=()",
    ),
    ("Pragma", "no-cache"),
    ("Referrer-Policy", "strict-origin-when-cross-origin"),
    (
        "Report-To",
        '{"group":"default","max_age":604800,"endpoints":[{"url":"https://reports.example.com/r?s=Zm9vYmFy"}]}',
    ),
    ("Reporting-Endpoints", 'default="https://reports.example.com/default"'),
    ("Server-Timing", "cdn-cache; desc=HIT, edge; dur=1, origin; dur=23.7, db; dur=11.2"),
    ("Strict-Transport-Security", "max-age=63072000; includeSubDomains; preload"),
    ("Surrogate-Key", "page-1842 template-7 lang-en section-news"),
    ("Timing-Allow-Origin", "*"),
    ("Traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
    ("Vary", "Accept-Encoding, Accept-Language, Origin"),
    ("Via", "1.1 varnish, 1.1 vegur"),
    ("X-Amz-Cf-Id", "3kXv1ZcQH7pYdGd0mJxQnYt1RkX9w2Lr8uP6sTq4VbNc5MzA0oWfEg=="),
    ("X-Amz-Cf-Pop", "FRA56-P8"),
    ("X-Cache", "HIT, MISS"),
    ("X-Cache-Hits", "12, 0"),
    ("X-Content-Type-Options", "nosniff"),
    ("X-DNS-Prefetch-Control", "on"),
    ("X-Download-Options", "noopen"),
    ("X-Frame-Options", "SAMEORIGIN"),
    ("X-Permitted-Cross-Domain-Policies", "none"),
    ("X-RateLimit-Limit", "5000"),
    ("X-RateLimit-Remaining", "4987"),
    ("X-Request-ID", "0d3b7f62-6f3e-4c39-9b5d-2f1a7c8e4b90"),
    ("X-Served-By", "cache-fra-eddf8230115-FRA, cache-ams21032-AMS"),
    ("X-XSS-Protection", "0"),
)


def as_nginx() -> str:
    """Return the lines that make nginx send them."""
    quoted = [(name, value.replace("\\", r"\\").replace('"', r"\"")) for name, value in FIELDS]
    return "\n".join(f'            add_header {name} "{value}";' for name, value in quoted)
