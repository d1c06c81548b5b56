import Bytes
import Generations
import ModuleHost
import Platform
import Programs
import Verifier

/// `esets_mod verify`: a whole generation as the canary sees it, or single files.
struct VerifyCommand {
    let context: Context

    init(_ context: Context) { self.context = context }

    func run(_ operands: [String]) {
        if operands.isEmpty { verifyGeneration() } else { verifyFiles(operands) }
    }

    private func verifyGeneration() {
        let number = context.generation()
        do throws(LoadError) {
            let generation = try Generation.load(
                directory: context.store.path(number), trust: context.trust(), thorough: true,
                log: { _, line in Console.error(line) })
            try generation.selfTest()
            for module in generation.modules { Console.print("\(module.file): \(module.id) \(module.version): good") }
            Console.print("Generation \(number): good")
        } catch {
            Main.program.fail("generation \(number): \(error)")
        }
    }

    private func verifyFiles(_ files: [String]) {
        let keys = context.trust().publishers
        var failed = false
        for file in files {
            let path = context.path(of: file)
            let mapping = context.map(path)
            do throws(Refusal) {
                let verified = try keys.withUnsafeBufferPointer { keys throws(Refusal) in
                    try Verifier.verify(ByteView(mapping.bytes), keys: ByteView(keys), thorough: true)
                }
                Console.print("\(path): \(text(verified.manifest.id)) \(text(verified.manifest.version)): good")
            } catch {
                failed = true
                Console.error("\(path): \(text(error))")
            }
        }
        if failed { Main.program.fail("a module is refused") }
    }
}
