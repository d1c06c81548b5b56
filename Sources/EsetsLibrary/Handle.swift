import CEsets
import Glibc
import ScanClient
import ScanProtocol

/// What an `esets_handle *` points to.
final class Handle {
    let connection: ScanConnection
    let agent: String
    let directory: String
    private(set) var message = strdup("")

    init(socket: String, agent: String, directory: String, patience: Duration) {
        connection = ScanConnection(path: socket, agent: agent, patience: patience)
        self.agent = agent
        self.directory = directory
    }

    deinit { free(message) }

    /// Remembers why a call failed, "" when it did not.
    func say(_ text: String) {
        free(message)
        message = strdup(text)
    }

    /// The object behind a pointer that a C caller gave back.
    static func from(_ pointer: OpaquePointer?) -> Handle? {
        pointer.map { Unmanaged<Handle>.fromOpaque(UnsafeRawPointer($0)).takeUnretainedValue() }
    }
}

extension ScanClientError {
    /// The number of the C interface.
    var status: CInt {
        switch code {
        case .unavailable: ESETS_E_UNAVAILABLE
        case .unreadable: ESETS_E_UNREADABLE
        case .refused(.unavailable): ESETS_E_UNAVAILABLE
        case .refused: ESETS_E_REFUSED
        case .conversation: ESETS_E_PROTOCOL
        }
    }
}

/// A text of a C caller; bytes that are not UTF-8 are repaired.
func text(_ pointer: UnsafePointer<CChar>?) -> String? {
    pointer.map { String(cString: $0) }
}
