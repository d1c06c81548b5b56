import Bytes
import EventLoop
import TLS
import Testing

@Suite struct TLSEngineTests {
    /// Both ends of a connection in memory.
    private final class Wire {
        let client: TLSEngine
        let server: TLSEngine
        let clientInput = InputBuffer()
        let serverInput = InputBuffer()
        var toServer: [UInt8] = []
        var toClient: [UInt8] = []
        /// Bytes carried at a time.
        let step: Int

        init(client: TLSEngine, server: TLSEngine, step: Int = .max) {
            self.client = client
            self.server = server
            self.step = step
        }

        /// Carries what is under way until nothing moves any more.
        func settle() throws(StreamError) {
            while !toServer.isEmpty || !toClient.isEmpty {
                let up = Array(toServer.prefix(step))
                toServer.removeFirst(up.count)
                try deliver(up, to: server, serverInput, &toClient)
                let down = Array(toClient.prefix(step))
                toClient.removeFirst(down.count)
                try deliver(down, to: client, clientInput, &toServer)
            }
        }

        private func deliver(
            _ bytes: [UInt8], to engine: TLSEngine, _ plain: InputBuffer, _ wire: inout [UInt8]
        ) throws(StreamError) {
            guard !bytes.isEmpty else { return }
            var failure: StreamError?
            bytes.withUnsafeBytes { buffer in
                do throws(StreamError) { try engine.receive(ByteView(buffer), plain: plain, wire: &wire) } catch {
                    failure = error
                }
            }
            if let failure { throw failure }
        }

        func handshake() throws(StreamError) {
            try client.start(wire: &toServer)
            try server.start(wire: &toClient)
            try settle()
        }
    }

    @Test(arguments: [1, 7, 1000, Int.max])
    func handshakeAndDataInPieces(step: Int) throws {
        let files = Certificates.shared
        let policy = TLSPolicy.verify(host: "mail.example.org")
        let wire = Wire(
            client: try files.client().engine(name: nil, policy: policy), server: try files.server().engine(),
            step: step)
        try wire.handshake()
        #expect(wire.client.isEstablished && wire.server.isEstablished)
        #expect(wire.server.requestedName == "mail.example.org")
        #expect(wire.client.agreement.version == "TLSv1.3")
        #expect(wire.client.agreement.cipher == wire.server.agreement.cipher)
        #expect(wire.client.agreement.bits >= 128)
        #expect(wire.client.peerFingerprint?.count == 32)
        #expect(wire.server.peerFingerprint == nil)

        let message = (0..<40_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        try message.withUnsafeBytes { try wire.client.send(ByteView($0), wire: &wire.toServer) }
        try wire.server.send(ByteView("220 hello\r\n"), wire: &wire.toClient)
        try wire.settle()
        #expect(wire.serverInput.view.array == message)
        #expect(wire.clientInput.view.equals(ByteView("220 hello\r\n")))

        wire.client.finish(wire: &wire.toServer)
        try wire.settle()
        #expect(wire.server.isEnded && !wire.client.isEnded)
        let afterEnd = #expect(throws: StreamError.self) { try wire.client.send(ByteView("x"), wire: &wire.toServer) }
        #expect(afterEnd == .closed)
    }

    private func failure(_ policy: TLSPolicy, trusted: Bool) throws -> StreamError? {
        let files = Certificates.shared
        let context = trusted ? try files.client() : try TLSClientContext()
        let wire = Wire(
            client: try context.engine(name: "mail.example.org", policy: policy), server: try files.server().engine())
        do throws(StreamError) {
            try wire.handshake()
            return nil
        } catch {
            // The server learns of it by an alert.
            #expect(!wire.client.isEstablished)
            #expect(!wire.toServer.isEmpty)
            return error
        }
    }

    @Test func verification() throws {
        #expect(try failure(.verify(host: "mail.example.org"), trusted: true) == nil)
        #expect(try failure(.verify(host: "192.0.2.9"), trusted: true) == nil)
        #expect(try failure(.may, trusted: false) == nil)
        #expect(try failure(.encrypt, trusted: false) == nil)
        for (host, trusted) in [("mail.example.com", true), ("192.0.2.10", true), ("mail.example.org", false)] {
            guard case .security(let reason) = try failure(.verify(host: host), trusted: trusted) else {
                Issue.record("accepted \(host)")
                continue
            }
            #expect(reason.contains("certificate not accepted"))
        }
    }

    @Test func refusesBadNamesAndFiles() throws {
        let files = Certificates.shared
        #expect(throws: TLSError.self) { try files.client().engine(name: nil, policy: .verify(host: "")) }
        #expect(throws: TLSError.self) { try files.client().engine(name: nil, policy: .verify(host: "a\0b")) }
        #expect(throws: TLSError.self) { try TLSClientContext(authorities: "/nonexistent") }
        let missing = #expect(throws: TLSError.self) {
            try TLSServerContext(certificate: "/nonexistent", key: files.key)
        }
        #expect(missing?.description.contains("No such file") == true)
        #expect(throws: TLSError.self) {
            try TLSServerContext(certificate: files.certificate, key: files.certificate)
        }
    }

    /// No input makes an engine do anything but fail, with an error or not at all.
    @Test func hostileInput() throws {
        let context = try Certificates.shared.server()
        var generator = SystemRandomNumberGenerator()
        for round in 0..<300 {
            let engine = try context.engine()
            let plain = InputBuffer()
            var wire: [UInt8] = []
            try engine.start(wire: &wire)
            var bytes = (0..<Int.random(in: 1...600)).map { _ in UInt8.random(in: 0...255, using: &generator) }
            if round % 2 == 0 { bytes.replaceSubrange(0..<min(3, bytes.count), with: [22, 3, 1].prefix(bytes.count)) }
            try? bytes.withUnsafeBytes { try engine.receive(ByteView($0), plain: plain, wire: &wire) }
            #expect(!engine.isEstablished)
            #expect(plain.count == 0)
            #expect(throws: StreamError.self) { try engine.send(ByteView("x"), wire: &wire) }
        }
    }
}
