import Bytes
import EventLoop
import Foundation
import TLS
import Testing

/// Against another implementation of the protocol's flow: the openssl program, as a child process on loopback.
@Suite struct OpenSSLProgramTests {
    private func openssl(_ arguments: [String]) throws -> (Process, Pipe, Pipe) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
        process.arguments = arguments
        let input = Pipe()
        let output = Pipe()
        process.standardInput = input
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        return (process, input, output)
    }

    @Test(arguments: [("-tls1_2", "TLSv1.2"), ("-tls1_3", "TLSv1.3")])
    func serverWithStartTLS(option: String, version: String) async throws {
        let files = Certificates.shared
        let thread = try ReactorThread("server")
        let reactor = thread.reactor
        let address = try #require(SocketAddress(numeric: "127.0.0.1", port: 0))
        let listener = try Listener(reactor, Listener.open(address))
        let context = try files.server()
        let (process, input, output) = try openssl([
            "s_client", option, "-quiet", "-starttls", "smtp", "-connect", listener.local.description, "-CAfile",
            files.certificate, "-verify_return_error", "-verify_hostname", "mail.example.org",
        ])
        let serving = Task(executorPreference: reactor) {
            let stream = try #require(try await listener.accept())
            stream.write("220 mail.example.org ESMTP\r\n")
            var agreed = ""
            while let line = try await stream.readLine(limit: 1000, deadline: patience) {
                let text = String(decoding: line, as: UTF8.self)
                if text.hasPrefix("EHLO") {
                    stream.write("250-mail.example.org\r\n250 STARTTLS\r\n")
                } else if text.hasPrefix("STARTTLS") {
                    stream.write("220 go ahead\r\n")
                    let engine = try context.engine()
                    try await stream.startTLS(engine, deadline: patience)
                    agreed = engine.agreement.version
                } else {
                    stream.write("echo \(text)")
                    try await stream.finishWriting(deadline: patience)
                    break
                }
            }
            await stream.close(deadline: patience)
            return agreed
        }
        try input.fileHandleForWriting.write(contentsOf: Data("hello\n".utf8))
        let agreed = try await serving.value
        let shown = String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
        process.waitUntilExit()
        #expect(agreed == version)
        #expect(shown.contains("echo hello"))
        reactor.stop(deadline: .now)
        thread.join()
    }

    @Test func client() async throws {
        let files = Certificates.shared
        // The kernel chooses the port, and the program tells it: "ACCEPT 127.0.0.1:34567".
        let (process, _, output) = try openssl([
            "s_server", "-accept", "127.0.0.1:0", "-cert", files.certificate, "-key", files.key, "-rev",
        ])
        // Not SIGTERM: the threads of tests block it, and programs inherit that.
        defer { kill(process.processIdentifier, SIGKILL) }
        var told = ""
        var address: SocketAddress?
        while address == nil {
            let more = output.fileHandleForReading.availableData
            try #require(!more.isEmpty, "it has ended: \(told)")
            told += String(decoding: more, as: UTF8.self)
            address = told.firstMatch(of: /ACCEPT (.*):(\d+)\n/).flatMap {
                SocketAddress(numeric: String($0.1), port: UInt16($0.2) ?? 0)
            }
        }
        let listening = try #require(address)
        let context = try files.client()
        try await onReactor { reactor in
            let stream = try await EventLoop.Stream.connect(reactor, to: listening, deadline: patience)
            let engine = try context.engine(name: nil, policy: .verify(host: "mail.example.org"))
            try await stream.startTLS(engine, deadline: patience)
            stream.write("abcdef\n")
            #expect(try await stream.readLine(limit: 100, deadline: patience) == Array("fedcba\n".utf8))
            stream.close()
        }
    }
}
