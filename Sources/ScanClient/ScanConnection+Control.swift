package import ScanProtocol

/// What a client can ask of the manager beside scanning.
extension ScanConnection {
    /// Facts about the running system, in the order in which they are shown.
    package func status() throws(ScanClientError) -> [StatusLine] {
        switch try ask(.status).reply {
        case .status(let lines): return lines
        case .refused(let reason, let text): throw ScanClientError(.refused(reason), text)
        default: throw ScanClientError(.conversation, "STATUS was not answered by a status")
        }
    }

    /// Offers a generation, and waits until the manager uses it or refuses it.
    ///
    /// - Returns: what the manager says about the acceptance.
    /// - Throws: `.refused(.failed)` with the reason when the generation is not good.
    package func offer(generation: UInt64) throws(ScanClientError) -> String {
        try command(.offer(generation: generation), time: .seconds(600))
    }

    /// Makes the daemon read its configuration again.
    package func reload() throws(ScanClientError) -> String {
        try command(.reload, time: .seconds(60))
    }

    /// Ends the service.
    package func stop() throws(ScanClientError) -> String {
        try command(.stop, time: .seconds(60))
    }

    /// Adds to the counters of this agent: `scanned`, `infected`, `accepted`…
    package func count(_ counters: [String: UInt64]) throws(ScanClientError) {
        _ = try command(.counters(counters), time: .seconds(10))
    }

    private func command(_ request: ControlRequest, time: Duration) throws(ScanClientError) -> String {
        switch try ask(request, time: time).reply {
        case .accepted(let text): return text
        case .refused(let reason, let text): throw ScanClientError(.refused(reason), text)
        default: throw ScanClientError(.conversation, "the daemon gave an answer that does not fit the request")
        }
    }
}
