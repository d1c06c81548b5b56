import Bytes
import EventLoop
import Foundation
import Platform
import TLS
import Testing

@Suite struct StartTLSTests {
    @Test func upgradesTheSameStream() async throws {
        try await onReactor { reactor in
            let (client, server) = try EventLoop.Stream.pair(reactor)
            let serverContext = try Certificates.shared.server()
            let clientContext = try Certificates.shared.client()
            let serving = Task(executorPreference: reactor) {
                _ = try await server.readLine(limit: 100, deadline: patience)
                server.write("220 go ahead\r\n")
                let dropped = try await server.startTLS(serverContext.engine(), deadline: patience)
                #expect(dropped == 0)
                while let line = try await server.readLine(limit: 100, deadline: patience) { server.write(line) }
                #expect(!server.endedAbruptly)
                await server.close(deadline: patience)
            }
            client.write("STARTTLS\r\n")
            #expect(try await client.readLine(limit: 100, deadline: patience) == Array("220 go ahead\r\n".utf8))
            let engine = try clientContext.engine(name: nil, policy: .verify(host: "mail.example.org"))
            try await client.startTLS(engine, deadline: patience)
            #expect(client.isEncrypted)
            for _ in 0..<3 {
                client.write("EHLO ")
                client.write("example.org\r\n")
                #expect(try await client.readLine(limit: 100, deadline: patience) == Array("EHLO example.org\r\n".utf8))
            }
            try await client.finishWriting(deadline: patience)
            #expect(try await client.fill(deadline: patience) == false)
            #expect(!client.endedAbruptly)
            try await serving.value
        }
    }

    /// CVE-2011-0411: commands smuggled behind STARTTLS must not run as if they had come encrypted.
    @Test func plainTextBeforeTheHandshakeIsDropped() async throws {
        try await onReactor { reactor in
            let (client, server) = try EventLoop.Stream.pair(reactor)
            let serverContext = try Certificates.shared.server()
            let clientContext = try Certificates.shared.client()
            client.write("STARTTLS\r\nRSET\r\nMAIL FROM:<evil@example.org>\r\n")
            try await client.flush(deadline: patience)
            _ = try await server.readLine(limit: 100, deadline: patience)
            let serving = Task(executorPreference: reactor) {
                let dropped = try await server.startTLS(serverContext.engine(), deadline: patience)
                let line = try await server.readLine(limit: 100, deadline: patience)
                return (dropped, line)
            }
            try await client.startTLS(try clientContext.engine(name: nil, policy: .encrypt), deadline: patience)
            client.write("NOOP\r\n")
            try await client.flush(deadline: patience)
            let (dropped, line) = try await serving.value
            #expect(dropped == "RSET\r\nMAIL FROM:<evil@example.org>\r\n".utf8.count)
            #expect(line == Array("NOOP\r\n".utf8))
        }
    }

    @Test func largeMessagesAndFiles() async throws {
        try await onReactor { reactor in
            let (client, server) = try EventLoop.Stream.pair(reactor)
            let serverContext = try Certificates.shared.server()
            let clientContext = try Certificates.shared.client()
            let content = (0..<600_000).map { UInt8(truncatingIfNeeded: $0 >> 4) }
            let file = try Descriptor.memory(name: "message")
            try file.writeAll(content)
            let serving = Task(executorPreference: reactor) {
                try await server.startTLS(serverContext.engine(), deadline: patience)
                var all: [UInt8] = []
                while try await server.read(into: &all, deadline: patience) > 0 {}
                return (all, server.endedAbruptly)
            }
            try await client.startTLS(try clientContext.engine(name: nil, policy: .encrypt), deadline: patience)
            try await client.sendFile(file.raw, count: 600_000, deadline: patience)
            client.write(content)
            try await client.finishWriting(deadline: patience)
            let (all, abrupt) = try await serving.value
            #expect(all == content + content)
            #expect(!abrupt)
        }
    }

    @Test func missingFarewellIsNoticed() async throws {
        try await onReactor { reactor in
            let (client, server) = try EventLoop.Stream.pair(reactor)
            let serverContext = try Certificates.shared.server()
            let clientContext = try Certificates.shared.client()
            let serving = Task(executorPreference: reactor) {
                try await server.startTLS(serverContext.engine(), deadline: patience)
                while try await server.fill(deadline: patience) {}
                return server.endedAbruptly
            }
            try await client.startTLS(try clientContext.engine(name: nil, policy: .encrypt), deadline: patience)
            client.write("DATA")
            try await client.flush(deadline: patience)
            // The end of the TCP stream alone, which anybody on the way can forge.
            #expect(shutdown(client.descriptor, Int32(SHUT_WR)) == 0)
            #expect(try await serving.value)
        }
    }

    @Test func handshakeHasADeadline() async throws {
        try await onReactor { reactor in
            let silent = try EventLoop.Stream.pair(reactor)
            let context = try Certificates.shared.server()
            let engine = try context.engine()
            let late = await error { () throws(StreamError) in
                try await silent.1.startTLS(engine, deadline: .milliseconds(20))
            }
            #expect(late == .timedOut)
            let second = try context.engine()
            let talker = try EventLoop.Stream.pair(reactor)
            let plain = Task(executorPreference: reactor) {
                try await reactor.sleep(until: .milliseconds(5))
                talker.0.write("EHLO not TLS at all\r\n")
                try await talker.0.flush(deadline: patience)
            }
            let wrong = await error { () throws(StreamError) in try await talker.1.startTLS(second, deadline: patience)
            }
            try await plain.value
            guard case .security = wrong else {
                Issue.record("\(String(describing: wrong))")
                return
            }
        }
    }
}
