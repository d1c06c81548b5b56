/// Answers that are always the same.
struct FixedAnswers: Sendable {
    let notFound: Response
    let notAllowed: Response
    let unauthorized: Response
    let limited: Response
    let preconditionFailed: Response
    let failed: Response

    /// nil without memory.
    init?() {
        guard let notFound = Response.text(404, "Not Found"),
            let notAllowed = Response.text(405, "Method Not Allowed", [("Allow", "GET, HEAD")]),
            let unauthorized = Response.text(
                401, "Unauthorized", [("WWW-Authenticate", "Basic realm=\"esets mirror\", charset=\"UTF-8\"")]),
            let limited = Response.text(429, "Too Many Requests", [("Retry-After", "1")]),
            let preconditionFailed = Response.text(412, "Precondition Failed"),
            let failed = Response.text(503, "Service Unavailable", [("Retry-After", "10")])
        else { return nil }
        self.notFound = notFound
        self.notAllowed = notAllowed
        self.unauthorized = unauthorized
        self.limited = limited
        self.preconditionFailed = preconditionFailed
        self.failed = failed
    }
}
