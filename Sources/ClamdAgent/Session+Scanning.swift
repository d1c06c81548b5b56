import ClamdProtocol
import EventLoop
import Glibc
import Platform
import ScanClient
import ScanProtocol

/// The commands that scan.
extension Session {
    /// Files of a MULTISCAN that are scanned at the same time.
    private static let parallel = 8

    /// What came by INSTREAM.
    func scanStream(_ target: ScanTarget, _ form: ReplyForm) async {
        let lines = await scan(target, ReplyText.stream, all: false).lines(ReplyText.stream)
        await reply(lines.flatMap { form.bytes($0) })
    }

    /// What came by FILDES: whoever sent it could open it.
    func scanDescriptor(_ file: Descriptor, _ form: ReplyForm) async {
        let name = ReplyText.descriptor(file.raw)
        guard let info = try? file.status(), info.st_mode & S_IFMT == S_IFREG else {
            return await reply(form.bytes(ReplyText.plainError(name, "Not a regular file")))
        }
        let object = ScanObject(
            descriptor: file, size: UInt64(max(0, info.st_size)), name: String(decoding: name, as: UTF8.self))
        let lines = await scan(.object(object, isForeign: !file.isSealed), name, all: false).lines(name)
        await reply(lines.flatMap { form.bytes($0) })
    }

    /// A file, or the files below a directory.
    func scanPath(_ path: [UInt8], _ kind: Command.PathScan, _ form: ReplyForm) async {
        let rules = PathWalk.Rules(
            roots: settings.scanPaths, followsLinks: settings.followsLinks, deepest: settings.maximumDepth)
        let run = PathRun(self, PathWalk(path, rules), kind, form)
        await run.run(window: kind == .parallel ? Self.parallel : 1)
        guard !run.hasSpoken, !isGone else { return }
        await reply(form.bytes(ReplyText.clean(path)))
    }

    /// One object, when its turn has come.
    func scan(_ target: ScanTarget, _ name: [UInt8], all: Bool) async -> VerdictReply {
        let deadline = Deadline.seconds(settings.scanTimeout)
        var verdict: ScanVerdict?
        var result: VerdictReply
        do throws(ServiceError) {
            let found = try await cachedVerdict(target, all: all, deadline)
            verdict = found
            result = VerdictReply(
                found, notScanned: settings.notScanned, heuristicScore: settings.heuristicScore, all: all)
        } catch {
            log(.error, "\(target.name): \(error.reason)")
            result = .error("Not scanned: \(error.reason)")
        }
        shared.counters.count(result, verdict)
        shared.events.scanned(
            .init(
                connection: number, object: String(decoding: name, as: UTF8.self), size: target.size, reply: result,
                verdict: verdict))
        return result
    }

    /// The verdict, without a scan when this content was clean before. Up to a second after a change of modules the older
    /// ones may still count, as for a scan that had begun.
    private func cachedVerdict(
        _ target: ScanTarget, all: Bool, _ deadline: Deadline
    ) async throws(ServiceError) -> ScanVerdict {
        guard let cache = settings.cache, let prepared = await prepare(target, cache) else {
            return try await verdictInTurn(target, all: all, deadline)
        }
        let generation = await shared.generation(on: lane.reactor)
        if cache.contains(prepared.key, generation: generation) {
            shared.counters.count("cache_hits")
            var verdict = ScanVerdict()
            verdict.generation = generation
            return verdict
        }
        shared.counters.count("cache_misses")
        let verdict = try await verdictInTurn(prepared.target, all: all, deadline)
        if verdict.findings.isEmpty { cache.insert(prepared.key, generation: verdict.generation) }
        return verdict
    }

    private func prepare(_ target: ScanTarget, _ cache: CleanCache) async -> CleanCache.Prepared? {
        let spool = settings.spoolDirectory
        do throws(StreamError) {
            return try await lane.reactor.offload { cache.prepare(target, spool: spool) }
        } catch {
            return nil
        }
    }

    private func verdictInTurn(
        _ target: ScanTarget, all: Bool, _ deadline: Deadline
    ) async throws(ServiceError) -> ScanVerdict {
        shared.counters.scans(queued: 1)
        do throws(StreamError) {
            defer { shared.counters.scans(queued: -1) }
            try await lane.scans.enter(deadline: deadline)
        } catch {
            throw ServiceError("its turn did not come in time")
        }
        shared.counters.scans(running: 1)
        defer {
            shared.counters.scans(running: -1)
            lane.scans.leave()
        }
        let address = client.peer.isLocal ? nil : client.peer.host
        return try await shared.service.scan(
            target, options: settings.options(isForeign: target.isForeign, all: all), client: address,
            on: lane.reactor, deadline: deadline)
    }
}

/// The way of one command through the files below a path.
///
/// `@unchecked Sendable`: confined to the reactor's thread.
private final class PathRun: @unchecked Sendable {
    private let session: Session
    private let walk: PathWalk
    private let kind: Command.PathScan
    private let form: ReplyForm
    private var isOver = false
    private var isWalking = false
    /// Whether anything was replied.
    private(set) var hasSpoken = false

    init(_ session: Session, _ walk: PathWalk, _ kind: Command.PathScan, _ form: ReplyForm) {
        self.session = session
        self.walk = walk
        self.kind = kind
        self.form = form
    }

    /// Scans so many files at a time, until all are done or the first threat is found where that is enough.
    func run(window: Int) async {
        guard window > 1 else { return await work() }
        // The first file tells whether there are more of them.
        await step()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<window where !isOver {
                group.addTask(executorPreference: session.lane.reactor) { await self.work() }
            }
        }
    }

    private func work() async {
        while !isOver { await step() }
    }

    private func step() async {
        let next: PathWalk.Item?
        do throws(StreamError) {
            try await turn.enter(deadline: .never)
            defer { turn.leave() }
            guard !isOver else { return }
            let walk = walk
            next = try await session.lane.reactor.offload { walk.next() }
        } catch {
            isOver = true
            return
        }
        guard let next, !session.isGone else {
            isOver = true
            return
        }
        switch next {
        case .problem(let line): await say([line])
        case .file(let name, let file, let size):
            let object = ScanObject(descriptor: file, size: size, name: String(decoding: name, as: UTF8.self))
            let reply = await session.scan(.object(object, isForeign: true), name, all: kind == .allMatches)
            guard reply != .clean else { return }
            await say(reply.lines(name))
            if case .found = reply, kind == .first || kind == .allMatches { isOver = true }
        }
    }

    /// The walk is one task's at a time.
    private lazy var turn = Gate(session.lane.reactor, limit: 1)

    private func say(_ lines: [[UInt8]]) async {
        hasSpoken = true
        await session.reply(lines.flatMap { form.bytes($0) })
    }
}
