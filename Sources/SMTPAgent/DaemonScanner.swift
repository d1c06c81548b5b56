import Bytes
package import EventLoop
import Platform
import ScanClient
package import ScanProtocol
import Synchronization

/// The scanning service of `esets_daemon`, over one connection per reactor.
package final class DaemonScanner: MessageScanner {
    private let path: String
    private let scanners = Mutex<[ObjectIdentifier: AsyncScanner]>([:])

    /// - Parameter path: the socket of the daemon, `daemon_sock_path`.
    package init(path: String) {
        self.path = path
    }

    package func scan(
        _ message: SpooledMessage, options: ScanOptions, envelope: ScanEnvelope, on reactor: Reactor, deadline: Deadline
    ) async throws(ScanUnavailable) -> ScanVerdict {
        let scanner = scanners.withLock { known in
            if let scanner = known[ObjectIdentifier(reactor)] { return scanner }
            let scanner = AsyncScanner(reactor: reactor, path: path, agent: "smtp")
            known[ObjectIdentifier(reactor)] = scanner
            return scanner
        }
        do throws(ScanClientError) {
            if message.size <= WireLimits.content {
                return try await scanner.scan(
                    content: message.view.array, name: "message", options: options, envelope: envelope,
                    deadline: deadline)
            }
        } catch {
            throw ScanUnavailable(error.description)
        }
        let descriptor: Descriptor
        do throws(SpoolError) { descriptor = try message.descriptor() } catch {
            throw ScanUnavailable("cannot hand over the message: \(error)")
        }
        let object = ScanObject(descriptor: descriptor, size: UInt64(message.size), name: "message")
        do throws(ScanClientError) {
            return try await scanner.scan(object, options: options, envelope: envelope, deadline: deadline)
        } catch {
            throw ScanUnavailable(error.description)
        }
    }
}
