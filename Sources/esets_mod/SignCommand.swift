import Bytes
import Generations
import Platform
import Programs
import Verifier

/// `esets_mod sign`: writes the signature note of code modules.
struct SignCommand {
    let context: Context

    init(_ context: Context) { self.context = context }

    func run(_ operands: [String]) {
        guard !operands.isEmpty else { Main.program.fail(usage: UsageError("sign needs files")) }
        guard let keyPath = context.arguments.value("key") else {
            Main.program.fail(usage: UsageError("sign needs --key=FILE; make one with esets_mod keygen"))
        }
        let seed: [UInt8]
        do throws(GenerationError) { seed = try Trust.readKey(keyPath) } catch { Main.program.fail(error.description) }
        for path in operands { sign(path, seed) }
    }

    /// The file is replaced, never changed in place: it may be mapped by a running scanner.
    private func sign(_ path: String, _ seed: [UInt8]) {
        do throws(SystemError) {
            var bytes = try Files.read(path)
            let offset: Int
            do throws(Refusal) {
                offset = try bytes.withUnsafeBufferPointer { buffer throws(Refusal) in
                    try Notes(Image(ByteView(buffer))).signatureOffset
                }
            } catch {
                Main.program.fail("\(path): \(text(error))")
            }
            let note = bytes.withUnsafeBufferPointer {
                Signature.sign(ByteView($0), signatureOffset: offset, seed: seed)
            }
            guard let note else { Main.program.fail("\(path): the key cannot sign", code: ExitCode.software) }
            bytes.replaceSubrange(offset..<offset + note.count, with: note)
            try Files.replace(path, with: bytes)
            Console.print("\(path): signed")
        } catch {
            Main.program.fail(error.description, code: ExitCode.noInput)
        }
    }
}
