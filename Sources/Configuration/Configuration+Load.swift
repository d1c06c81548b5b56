import Glibc
import Platform

extension Configuration {
    /// Reads and checks esets.cfg and the user files that it names.
    ///
    /// - Throws: everything that is wrong, each as `file:line: message`.
    package static func load(paths: Paths) throws(ConfigurationError) -> Configuration {
        let path = paths.configurationFile
        let main: ConfigurationFile
        do throws(ConfigurationFileProblem) {
            main = try ConfigurationFile.read(path)
        } catch {
            throw ConfigurationError(file: path, error.message)
        }
        let configuration = try Configuration(main: main, path: path, paths: paths) { file in
            do throws(ConfigurationFileProblem) {
                return .success(try ConfigurationFile.read(file))
            } catch {
                return .failure(error)
            }
        }
        return configuration.warningAboutSecrets(in: path)
    }

    /// With a warning when everybody on the machine can read a password.
    private func warningAboutSecrets(in path: String) -> Configuration {
        var info = stat()
        guard stat(path, &info) == 0, info.st_mode & S_IROTH != 0 else { return self }
        let secrets = (Array(agents.values) + upstreams.map(\.settings)).flatMap { settings in
            settings.base.values.filter { $0.parameter.isSecret && !$0.text.isEmpty }.compactMap(\.origin)
        }
        guard let first = secrets.map(\.line).min() else { return self }
        let warning = Diagnostic(
            .warning, file: path, line: first,
            "everybody may read this password; take the right away: chmod o-r \(path)")
        return Configuration(
            paths: paths, warnings: warnings + [warning], files: files, agents: agents, users: users,
            upstreams: upstreams)
    }

    /// What is wrong with texts that anybody may have written: parses both, checks both and resolves a few
    /// addresses, without I/O. The entry of the fuzzer.
    package static func check(_ bytes: [UInt8], userBytes: [UInt8] = []) -> [Diagnostic] {
        let main = ConfigurationFile(parsing: bytes)
        let user = ConfigurationFile(parsing: userBytes)
        precondition(main.bytes == bytes && user.bytes == userBytes, "parsing lost bytes")
        do throws(ConfigurationError) {
            let configuration = try Configuration(main: main, path: "esets.cfg", paths: Paths(root: "/r")) { _ in
                .success(user)
            }
            for agent in ["smtp", "pop3"] {
                let settings = configuration.settings(
                    agent: agent, recipient: "a@example.com", sender: "", clientAddress: "192.0.2.1")
                for name in settings.names { _ = settings.text(name) }
            }
            return configuration.warnings
        } catch {
            return error.diagnostics
        }
    }
}

extension ConfigurationFile {
    /// Reads and parses a file of at most `maximumSize` bytes.
    package static func read(_ path: String) throws(ConfigurationFileProblem) -> ConfigurationFile {
        do throws(SystemError) {
            let bytes = try Files.read(path, limit: maximumSize + 1)
            guard bytes.count <= maximumSize else {
                throw SystemError("read", path, code: 27)
            }
            return ConfigurationFile(parsing: bytes)
        } catch {
            throw ConfigurationFileProblem(error.reason)
        }
    }
}
