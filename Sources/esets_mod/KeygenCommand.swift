import Configuration
import Generations
import Platform
import Programs

/// `esets_mod keygen`
struct KeygenCommand {
    let context: Context

    init(_ context: Context) { self.context = context }

    func run(_ operands: [String]) {
        guard operands.isEmpty else { Main.program.fail(usage: UsageError("keygen takes no files")) }
        if let key = context.arguments.value("key") {
            make(key, context.arguments.value("public") ?? "\(key).pub")
            return
        }
        let certificates = context.paths.certificatesDirectory
        let pairs = [
            ("\(certificates)/generation.key", "\(certificates)/generation.pub"),
            ("\(certificates)/modules.key", "\(certificates)/modules/local.pub"),
        ]
        for (key, publicKey) in pairs {
            // An installation that only verifies has public keys without the private ones.
            if Files.exists(key) || Files.exists(publicKey) {
                Console.print("\(publicKey): is there already")
            } else {
                make(key, publicKey)
            }
        }
    }

    private func make(_ key: String, _ publicKey: String) {
        do throws(GenerationError) {
            try Trust.makeKeys(private: key, public: publicKey)
            Console.print("\(key): private key, keep it secret")
            Console.print("\(publicKey): public key")
        } catch {
            Main.program.fail(error.description)
        }
    }
}
