import BytesE
import CModuleABI
import ModuleKit
import Passwords
import Unpacking

/// Entries that are encrypted: opened with a password that the message or the configuration has, when there is one.
extension ZIPUnpacker {
    /// Passwords that pass the short check are tried on the whole entry so many times.
    private static var mostTrials: Int { 4 }

    /// Decrypts and expands an entry; false when no password fits.
    func decrypt(_ entry: ZIPEntry, _ packed: ByteView, _ child: inout Child) throws(ModuleError) -> Bool {
        // The strong encryption of PKWARE is another thing.
        guard entry.flags & 0x41 == 1 || entry.method == 99, !packed.isEmpty else { return false }
        let candidates = try candidatePasswords()
        let aes = entry.method == 99 ? ZIPAES(packed, strength: entry.aesStrength) : nil
        var trials = 0
        let known = scan.notes?.fitting.count ?? 0
        for (place, password) in candidates.enumerated() {
            guard trials < Self.mostTrials else { return false }
            // Every entry has a key of its own; one whose password is known costs less than a guess.
            let cost = aes == nil ? 1 : place < known ? ZIPAES.cost / 4 : ZIPAES.cost
            guard try mayTry(cost, scan, &workLeft) else { return false }
            var trial = child
            if let aes {
                guard let key = aes.key(password) else { continue }
                trials += 1
                var output = try Output(scan, in: object, expected: packed.count)
                _ = try aes.decrypt(key, into: &output)
                try close(&output, &trial)
            } else {
                var cipher = ZIPCipher(password)
                // The byte that checks is of the checksum, or of the time where the checksum was not known yet.
                guard cipher.fits(packed, check: entry.passwordCheck) else { continue }
                trials += 1
                var output = try Output(scan, in: object, expected: packed.count)
                _ = try cipher.decrypt(packed.dropFirst(ZIPCipher.headerSize), into: &output)
                try close(&output, &trial)
            }
            let plain = trial.data
            trial.data = ByteView()
            _ = try expand(entry, method: entry.plainMethod, plain, isSizeKnown: true, &trial)
            guard isRight(entry, trial) else { continue }
            child = trial
            noteFitting(password, object, scan)
            return true
        }
        return false
    }

    /// Whether what came out is what was put in.
    private func isRight(_ entry: ZIPEntry, _ child: Child) -> Bool {
        if child.flags & EM_OBJECT_UNSUPPORTED != 0 { return true }
        guard child.flags & (EM_OBJECT_MALFORMED | EM_OBJECT_TRUNCATED) == 0 else { return false }
        // The second form of AES has no checksum; a limit may have cut the content.
        guard entry.crc32 != 0, child.flags & EM_OBJECT_OVER_LIMIT == 0 else { return true }
        return checksum(child.data) == entry.crc32
    }

    /// Collected once for the archive, the one that fitted last first.
    private func candidatePasswords() throws(ModuleError) -> [[UInt8]] {
        if let candidates { return (scan.notes?.fitting ?? []) + candidates }
        let all = try passwords(for: object, scan, as: "CL_TYPE_ZIP")
        candidates = all
        return all
    }
}
