package import EventLoop
import Platform
import ScanClient
package import ScanProtocol
import Synchronization

/// There is no verdict, or no answer of the daemon.
package struct ServiceError: Error, Sendable, Equatable {
    package let reason: String

    package init(_ reason: String) {
        self.reason = reason
    }
}

/// What the agent needs of the daemon. Called on a reactor; must not block it.
package protocol ObjectScanning: Sendable {
    /// Scans one object.
    /// - Throws: `ServiceError` when there is no verdict; never taken for clean.
    func scan(
        _ target: ScanTarget, options: ScanOptions, client: String?, on reactor: Reactor, deadline: Deadline
    ) async throws(ServiceError) -> ScanVerdict

    /// Facts about the running system, by name.
    func status(on reactor: Reactor) async throws(ServiceError) -> [StatusLine]

    /// Makes the daemon read its configuration again.
    func reload(on reactor: Reactor) async throws(ServiceError)
}

/// The scanning service of `esets_daemon`, over one client per reactor.
package final class DaemonScanning: ObjectScanning {
    private let path: String
    private let scanners = Mutex<[ObjectIdentifier: AsyncScanner]>([:])

    /// - Parameter path: the socket of the daemon, `daemon_sock_path`.
    package init(path: String) {
        self.path = path
    }

    package func scan(
        _ target: ScanTarget, options: ScanOptions, client: String?, on reactor: Reactor, deadline: Deadline
    ) async throws(ServiceError) -> ScanVerdict {
        let scanner = scanners.withLock { known in
            if let scanner = known[ObjectIdentifier(reactor)] { return scanner }
            let scanner = AsyncScanner(reactor: reactor, path: path, agent: "clamd")
            known[ObjectIdentifier(reactor)] = scanner
            return scanner
        }
        do throws(ScanClientError) {
            let envelope = ScanEnvelope(agent: "clamd", clientAddress: client)
            switch target {
            case .content(let bytes, let name):
                return try await scanner.scan(
                    content: bytes, name: name, options: options, envelope: envelope, deadline: deadline)
            case .object(let object, _):
                return try await scanner.scan(object, options: options, envelope: envelope, deadline: deadline)
            }
        } catch {
            throw ServiceError(error.message)
        }
    }

    package func status(on reactor: Reactor) async throws(ServiceError) -> [StatusLine] {
        let path = path
        return try await ask(reactor) { () throws(ScanClientError) in
            try ScanConnection(path: path, agent: "clamd", patience: .zero).status()
        }
    }

    package func reload(on reactor: Reactor) async throws(ServiceError) {
        let path = path
        _ = try await ask(reactor) { () throws(ScanClientError) in
            try ScanConnection(path: path, agent: "clamd", patience: .zero).reload()
        }
    }

    private func ask<T: Sendable>(
        _ reactor: Reactor, _ question: @escaping @Sendable () throws(ScanClientError) -> T
    ) async throws(ServiceError) -> T {
        let result: Result<T, ServiceError>
        do throws(StreamError) {
            result = try await reactor.offload(deadline: .seconds(30)) {
                do throws(ScanClientError) { return .success(try question()) } catch {
                    return .failure(ServiceError(error.message))
                }
            }
        } catch {
            throw ServiceError("the daemon did not answer: \(error)")
        }
        return try result.get()
    }
}
