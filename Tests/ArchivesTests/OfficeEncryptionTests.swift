import BytesE
import CModuleABI
import Testing

@testable import Passwords

@Suite struct OfficeEncryptionTests {
    /// What an Office package says about its encryption.
    private let info = """
        <encryption><keyData saltSize="16" blockSize="16" keyBits="256" hashSize="64" cipherAlgorithm="AES" \
        cipherChaining="ChainingModeCBC" hashAlgorithm="SHA512" saltValue="YfJT/KTPFLFtA1qkECcFKg=="/>\
        <keyEncryptors><keyEncryptor><p:encryptedKey spinCount="COUNT" saltSize="16" blockSize="16" keyBits="256" \
        hashSize="64" hashAlgorithm="SHA512" saltValue="8aJcpdsE0OoX0K/dVsYygA==" \
        encryptedVerifierHashInput="C01f2g3fEWmdAxQIiVkhGg==" encryptedVerifierHashValue="QUFB" \
        encryptedKeyValue="QUFB"/></keyEncryptor></keyEncryptors></encryption>
        """

    private func encryption(_ text: String) -> OfficeEncryption? {
        let bytes: [UInt8] = [4, 0, 4, 0, 0x40, 0, 0, 0] + Array(text.utf8)
        return bytes.withUnsafeBufferPointer { OfficeEncryption(ByteView($0)) }
    }

    @Test func keyOfPackage() throws {
        let whole = info.replacing("COUNT", with: "100000").replacing(
            "encryptedVerifierHashValue=\"QUFB\"",
            with:
                "encryptedVerifierHashValue=\"W9EU6/I8cVYKjx8Zh+PTdJNGJ41NaKWciBzrzEC2AaOj5Nvdg/gavjMstvDU7w3hi0o3xfTmtreN"
                + "MlaLU0ws5w==\""
        ).replacing(
            "encryptedKeyValue=\"QUFB\"", with: "encryptedKeyValue=\"iQb3Jy8Goas/1JxIVNLDwSc4z/nWQd/2s1+R52EBCN4=\"")
        let opened = try #require(encryption(whole))
        #expect(opened.cost == 100_000)
        #expect(opened.key(Array("VelvetSweatshop".utf8))?.count == 32)
        #expect(opened.key(Array("velvetsweatshop".utf8)) == nil)
    }

    @Test func numbersThatMakeNoSenseAreRefused() {
        #expect(encryption(info.replacing("COUNT", with: "100000")) == nil, "a value of three bytes")
        #expect(encryption(info.replacing("COUNT", with: "999999999")) == nil)
        #expect(encryption("<keyData") == nil)
        #expect(encryption("") == nil)
    }
}
