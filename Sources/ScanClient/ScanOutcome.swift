import ScanProtocol

/// How one attempt to scan ended; the same for both clients.
enum ScanOutcome {
    case verdict(ScanVerdict)
    /// The scanning process went away with the request.
    case lost(worker: UInt64)
    /// Try again later.
    case unavailable(ScanClientError)
    case error(ScanClientError)

    /// There was no connection to a scanning process.
    init(connecting error: ScanClientError) {
        switch error.code {
        case .unavailable, .refused(.unavailable): self = .unavailable(error)
        default: self = .error(error)
        }
    }

    /// What a scanning process answered.
    init(_ message: WireMessage) {
        do throws(WireError) { self.init(try ScanReply(message)) } catch { self = .error(ScanClientError(error)) }
    }

    /// What a scanning process answered.
    init(_ reply: ScanReply) {
        switch reply {
        case .verdict(let verdict): self = .verdict(verdict)
        case .ask: self = .error(ScanClientError(.conversation, "a question came in place of a verdict"))
        case .failed(let failure):
            switch failure.reason {
            case .busy, .noModules:
                self = .unavailable(ScanClientError(.unavailable, "scanning process: \(failure.text)"))
            case .unreadable: self = .error(ScanClientError(.unreadable, failure.text))
            case .engine: self = .verdict(.failed(failure.text))
            }
        }
    }
}

extension ControlReply {
    /// The number of the scanning process to which a connection came.
    func worker(_ path: String) throws(ScanClientError) -> UInt64 {
        switch self {
        case .channel(let id): return id
        case .refused(let reason, let text): throw ScanClientError(.refused(reason), text)
        default: throw ScanClientError(.conversation, "\(path): CONNECT was not answered by a connection")
        }
    }

    /// Checks the answer to HELLO; the version that is spoken, and whether privileged requests are allowed.
    func welcome(_ path: String) throws(ScanClientError) -> (version: UInt32, isPrivileged: Bool) {
        switch self {
        case .welcome(let version, let isPrivileged): return (version, isPrivileged)
        case .refused(let reason, let text): throw ScanClientError(.refused(reason), "\(path): \(text)")
        default: throw ScanClientError(.conversation, "\(path): HELLO was not answered by WELCOME")
        }
    }
}
