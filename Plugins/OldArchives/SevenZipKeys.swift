import ModuleKit
import Passwords

/// Keys that one password gives for the encryptions of an archive. Each derivation is paid for from what the object and
/// the scan may spend.
final class SevenZipKeys {
    private let scan: ScanContext
    private var left = mostRoundsOfObject
    /// The key derived last: 7-Zip gives all folders of an archive the same salt.
    private var newest: (cipher: SevenZipCipher, key: [UInt8])?
    /// A key was not derived because too much was spent before.
    private(set) var isSpent = false

    var password: [UInt8] = [] {
        didSet { newest = nil }
    }

    init(_ scan: ScanContext) { self.scan = scan }

    /// The key of a stream; nil when enough was spent.
    func key(_ cipher: SevenZipCipher) throws(ModuleError) -> [UInt8]? {
        if let newest, newest.cipher.hasKey(of: cipher) { return newest.key }
        guard try mayTry(cipher.cost, scan, &left), let key = cipher.key(password) else {
            isSpent = true
            return nil
        }
        newest = (cipher, key)
        return key
    }
}
