import CLinux
import ClamdProtocol
import EventLoop
import Glibc
import Platform
import ScanProtocol

/// The commands that scan nothing.
extension Session {
    /// Carries a command out and replies.
    func obey(_ command: Command, _ form: ReplyForm) async {
        switch command {
        case .ping: await reply(form.bytes(ReplyText.pong))
        case .version: await reply(form.bytes(await versionText()))
        case .versionCommands:
            let names = Command.names.joined(separator: " ")
            await reply(form.bytes("\(await versionText())| COMMANDS: \(names)"))
        case .statistics: await reply(form.bytes(statisticsText))
        case .reload: await reload(form)
        case .shutdown:
            log(.warning, "\(client.peer.isLocal ? "a local client" : client.peer.host) wants the service to end")
            await reply(form.bytes(ReplyText.unavailable))
        // Nothing is kept that could be told.
        case .detectionStatistics: break
        case .scan(.allMatches, let path) where !settings.allowsAllMatches:
            log(.info, "ALLMATCHSCAN is not allowed")
            await reply(form.bytes(ReplyText.error(path, "ALLMATCHSCAN is disabled by the administrator")))
        case .scan(let kind, let path): await scanPath(path, kind, form)
        // These have events of their own.
        case .stream, .descriptor, .beginSession, .endSession: break
        }
    }

    /// `esets 4.5/27000/Sat Nov 21 12:00:00 2026`
    private func versionText() async -> String {
        let status = await shared.status(on: lane.reactor)
        func fact(_ name: String) -> String { status.first { $0.name == name }?.value ?? "" }
        let seconds = Int(fact("LastSwap")) ?? Int(fact("StartTime")) ?? 0
        return settings.version
            .replacing("%version%", with: shared.productVersion)
            .replacing("%vdb%", with: fact("AVSigsVer").isEmpty ? "0" : fact("AVSigsVer"))
            .replacing("%date%", with: seconds == 0 ? "" : Session.date(seconds))
            .replacing("%%", with: "%")
    }

    /// As asctime(3) writes it.
    private static func date(_ seconds: Int) -> String {
        var time = time_t(seconds)
        var parts = tm()
        localtime_r(&time, &parts)
        var buffer = [CChar](repeating: 0, count: 64)
        let count = strftime(&buffer, buffer.count, "%a %b %e %H:%M:%S %Y", &parts)
        return String(decoding: buffer.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// In the form that clamdtop and monitoring plugins read.
    private var statisticsText: String {
        let load = shared.counters.load
        let most = settings.maximumScans
        return """
            POOLS: 1

            STATE: VALID PRIMARY
            THREADS: live \(load.running)  idle \(max(0, most - load.running)) max \(most) idle-timeout \
            \(settings.commandTimeout)
            QUEUE: \(load.queued) items
            \tSTATS 0.000000 \n
            MEMSTATS: heap N/A mmap N/A used N/A free N/A releasable N/A pools 1 pools_used N/A pools_total N/A
            END
            """
    }

    private func reload(_ form: ReplyForm) async {
        guard mayReload else {
            log(.warning, "RELOAD is not allowed to this client; see clamd_reload_users in esets.cfg")
            return await reply(form.bytes(ReplyText.unavailable))
        }
        do throws(ServiceError) {
            try await shared.service.reload(on: lane.reactor)
            await reply(form.bytes(ReplyText.reloading))
        } catch {
            log(.error, "RELOAD: \(error.reason)")
            await reply(form.bytes("RELOAD failed: \(error.reason). ERROR"))
        }
    }

    private var mayReload: Bool {
        if settings.reloadUsers.contains("*") { return true }
        guard client.peer.isLocal, let user = peerUser else { return false }
        if user == getuid() { return true }
        return settings.reloadUsers.contains { UserAccount(named: $0)?.uid == user }
    }

    private var peerUser: uid_t? {
        var uid: UInt32 = 0
        var pid: UInt32 = 0
        var gid: UInt32 = 0
        guard CLinux_peer_credentials(client.descriptor, &pid, &uid, &gid) == 0 else { return nil }
        return uid
    }
}
