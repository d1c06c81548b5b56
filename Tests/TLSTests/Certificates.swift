import EventLoop
import Foundation
import TLS
import Testing

// swift-format-ignore: NeverUseForceTry
/// A self-signed certificate for "mail.example.org" and 192.0.2.9, made once for all tests; without it there is
/// nothing to test.
struct Certificates: Sendable {
    let certificate: String
    let key: String

    static let shared: Certificates = {
        let folder = NSTemporaryDirectory() + "esets-tls-\(UUID().uuidString)"
        try! FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let made = Certificates(certificate: folder + "/certificate.pem", key: folder + "/key.pem")
        let openssl = Process()
        openssl.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
        openssl.arguments = [
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
            "/CN=mail.example.org", "-addext", "subjectAltName=DNS:mail.example.org,IP:192.0.2.9", "-keyout", made.key,
            "-out", made.certificate,
        ]
        openssl.standardError = FileHandle.nullDevice
        try! openssl.run()
        openssl.waitUntilExit()
        precondition(openssl.terminationStatus == 0)
        return made
    }()

    func server() throws -> TLSServerContext { try TLSServerContext(certificate: certificate, key: key) }
    /// A client that trusts the test's certificate.
    func client() throws -> TLSClientContext { try TLSClientContext(authorities: certificate) }
}

/// Runs a test's body on a reactor of its own, and stops that afterwards.
func onReactor<T: Sendable>(_ body: @escaping @Sendable (Reactor) async throws -> T) async throws -> T {
    let thread = try ReactorThread("test")
    let reactor = thread.reactor
    let result = await Task(executorPreference: reactor) { try await body(reactor) }.result
    reactor.stop(deadline: .now)
    thread.join()
    return try result.get()
}

/// The error that the body must throw.
func error(_ body: () async throws(StreamError) -> Void) async -> StreamError? {
    do throws(StreamError) {
        try await body()
        return nil
    } catch {
        return error
    }
}

/// Long enough for any machine; no test waits for it to pass.
var patience: Deadline { .seconds(60) }
