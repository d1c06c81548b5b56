import Glibc
import Platform

/// Runs the compiler in a process of its own: another user, no network, one writable directory, limited memory and time.
///
/// The sources come from outside and are hostile until proven otherwise; what comes back is copied, so that no process of that
/// user can change it any more, and verified by whoever uses it.
package struct CompilerProcess: Sendable {
    /// This program, which has the hidden option `--compile`.
    let program: String
    let mirror: MirrorDirectory
    /// Where its working directories are made.
    let temporary: String
    /// Certificates of those who may sign containers of signatures.
    let certificates: String
    /// The file with the state of upstreams.
    let state: String

    package init(program: String, mirror: MirrorDirectory, temporary: String, certificates: String, state: String) {
        self.program = program
        self.mirror = mirror
        self.temporary = temporary
        self.certificates = certificates
        self.state = state
    }

    /// Compiles a data module into `path`. What it has to say goes to this process's standard error.
    package func compile(_ module: String, version: UInt64, digest: String, to path: String) throws(UpdateError) {
        let directory = "\(temporary)/\(Remains.compiling)\(getpid())-\(Clock.now)"
        do throws(SystemError) {
            try Files.makeDirectory(directory, mode: 0o700)
            defer { try? Files.remove(directory) }
            let user = geteuid() == 0 ? UserAccount.unprivileged() : nil
            if let user { _ = try checked("chown", directory) { chown(directory, user.uid, user.gid) } }
            let made = "\(directory)/\(module)_64.dat"
            var arguments = [program, "--compile=\(module)", "--mirror=\(mirror.path)", "--output=\(made)"]
            arguments += ["--database-version=\(version)", "--digest=\(digest)", "--certificates=\(certificates)"]
            arguments.append("--sources=\(state)")
            if let user { arguments.append("--as=\(user.name)") }
            let child = try ChildProcess.spawn(
                program, arguments: arguments, environment: ["PATH": "/usr/bin:/bin", "LC_ALL": "C"])
            let end = try ChildProcess.wait(child)
            guard end == .exited(0) else {
                throw SystemError(
                    "the compiler ended with \(end.map(String.init(describing:)) ?? "nothing")", module, code: EINVAL)
            }
            try copy(made, to: path)
        } catch {
            throw UpdateError(.module, error.call.contains(" ") ? "\(module): \(error.call)" : error.description)
        }
    }

    private func copy(_ source: String, to target: String) throws(SystemError) {
        let from = try Descriptor.open(source, O_RDONLY | O_NOFOLLOW)
        let to = try Descriptor.open(target, O_WRONLY | O_CREAT | O_EXCL, mode: 0o644)
        var chunk = [UInt8](repeating: 0, count: 1 << 20)
        while true {
            let count = try checkedCount("read", source) { read(from.raw, &chunk, chunk.count) }
            if count == 0 { return }
            var done = 0
            while done < count {
                done += try checkedCount("write", target) {
                    chunk[done..<count].withUnsafeBytes { write(to.raw, $0.baseAddress, $0.count) }
                }
            }
        }
    }
}
