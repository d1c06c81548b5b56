import CLinux
import Glibc
import Platform
import Synchronization

/// Turns host names into addresses on a thread of its own: a name server that does not answer must not stop the
/// manager, which serves everybody meanwhile.
enum HostLookup {
    /// The addresses of a name, as text, or what is wrong with it.
    enum Answer: Sendable, Equatable {
        case addresses([String])
        case failure(String)
    }

    typealias Resolve = @Sendable (String) -> Answer

    /// How long names may take.
    static let patience: UInt64 = 10 * 1_000_000_000

    private final class Board: Sendable {
        let answers = Mutex<[String: Answer]>([:])
        let event: Descriptor

        init() throws(SystemError) {
            event = Descriptor(owning: try checked("eventfd") { CLinux_event_descriptor() })
        }
    }

    /// Whether it is an address (or "" for all of them), which needs no lookup.
    static func isAddress(_ host: String) -> Bool {
        if host.isEmpty { return true }
        if case .addresses = resolve(host, flags: AI_NUMERICHOST) { return true }
        return false
    }

    /// Looks names up. `done` is called once, later, from the loop, with an answer for each name.
    static func start(
        _ names: Set<String>, loop: PollLoop, patience: UInt64 = patience,
        resolve: @escaping Resolve = { resolve($0, flags: 0) }, done: @escaping ([String: Answer]) -> Void
    ) {
        do throws(SystemError) {
            let board = try Board()
            try NativeThread {
                for name in names.sorted() {
                    let answer = resolve(name)
                    board.answers.withLock { $0[name] = answer }
                }
                CLinux_event_raise(board.event.raw)
            }.detach()
            var watch: PollLoop.Token?
            var timer: PollLoop.Token?
            let finish = {
                loop.remove(watch)
                loop.remove(timer)
                var answers = board.answers.withLock { $0 }
                for name in names where answers[name] == nil {
                    answers[name] = .failure("no answer within \(patience / 1_000_000_000) seconds")
                }
                done(answers)
            }
            watch = loop.watch(board.event) { _ in finish() }
            timer = loop.after(patience, finish)
        } catch {
            let text = "\(error)"
            loop.after(0) { done(Dictionary(uniqueKeysWithValues: names.map { ($0, .failure(text)) })) }
        }
    }

    private static func resolve(_ host: String, flags: Int32) -> Answer {
        var hints = addrinfo()
        hints.ai_flags = AI_PASSIVE | flags
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(host, nil, &hints, &list)
        guard code == 0, let list else { return .failure(String(cString: gai_strerror(code))) }
        defer { freeaddrinfo(list) }
        var addresses: [String] = []
        var next: UnsafeMutablePointer<addrinfo>? = list
        while let entry = next?.pointee {
            next = entry.ai_next
            var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
            guard
                getnameinfo(
                    entry.ai_addr, entry.ai_addrlen, &text, socklen_t(text.count), nil, 0, NI_NUMERICHOST) == 0
            else { continue }
            let address = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            if !addresses.contains(address) { addresses.append(address) }
        }
        return addresses.isEmpty ? .failure("it has no address") : .addresses(addresses)
    }
}
