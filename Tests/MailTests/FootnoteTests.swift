import Configuration
import Testing

@testable import Mail

@Suite struct FootnoteTests {
    private let clean = Decision(.accept, .clean, antivirus: .clean)

    private func noted(_ text: String = "Checked: %avstatus%\n<end>\n") -> Modification {
        var modification = Modification()
        modification.antivirusFootnote = .antivirus
        modification.footnoteTemplate = Template(text)
        return modification
    }

    @Test func plainText() {
        #expect(
            rewrite("Subject: x\r\n\r\nbody\r\n", clean, noted())
                == "Subject: x\r\n\r\nbody\r\n\r\nChecked: clean\r\n<end>\r\n")
        #expect(
            rewrite("Subject: x\n\nbody", clean, noted()) == "Subject: x\n\nbody\n\nChecked: clean\n<end>")
    }

    @Test func onlyTheShownTextOfAMultipart() {
        let result = rewrite(mixed, clean, noted())
        #expect(
            has(result, "Hello.\r\n\r\nChecked: clean\r\n<end>\r\n--b1\r\nContent-Type: application"))
        #expect(result.components(of: "Checked").count == 2)
    }

    @Test func bothAlternatives() {
        let message = crlf(
            """
            Content-Type: multipart/alternative; boundary=b

            --b
            Content-Type: text/plain

            plain
            --b
            Content-Type: text/html

            <html><BODY><p>rich &amp; </p></BODY></html>
            --b--

            """)
        let result = rewrite(message, clean, noted())
        #expect(has(result, "plain\r\n\r\nChecked: clean\r\n<end>\r\n--b"))
        #expect(
            has(
                result,
                "</p>\r\n<div>Checked: clean<br>\r\n&lt;end&gt;</div>\r\n</BODY></html>\r\n--b--"))
    }

    @Test func attachedTextIsNotTouched() {
        let message = crlf("Content-Type: text/plain; name=a.txt\nContent-Disposition: attachment\n\ndata\n")
        #expect(rewrite(message, clean, noted()) == message)
    }

    @Test(arguments: ["multipart/signed", "multipart/encrypted"])
    func sealedMailIsNotTouched(_ type: String) {
        let message = crlf("Content-Type: \(type); boundary=b\n\n--b\nContent-Type: text/plain\n\nhi\n--b--\n")
        #expect(rewrite(message, clean, noted()) == message)
    }

    @Test func inlineSignedTextIsNotTouched() {
        let message = "Subject: x\r\n\r\n-----BEGIN PGP SIGNED MESSAGE-----\r\nHash: SHA256\r\n\r\nhi\r\n"
        #expect(rewrite(message, clean, noted()) == message)
    }

    @Test func base64IsEncodedAgain() {
        // "Grüße" in UTF-8
        let message = crlf(
            "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64\n\nR3LDvMOfZQ==\n")
        let result = rewrite(message, clean, noted("ü %avstatus%"))
        #expect(parts(result) == ["text/plain: Grüße\r\n\r\nü clean"])
    }

    @Test func damagedBase64IsNotTouched() {
        let message = crlf("Content-Type: text/plain\nContent-Transfer-Encoding: base64\n\nR3LD\nlist footer!\n")
        #expect(rewrite(message, clean, noted()) == message)
    }

    @Test func quotedPrintable() {
        let message = crlf(
            "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\nGr=C3=BC=C3=9Fe\n")
        let result = rewrite(message, clean, noted("ü = %avstatus%"))
        #expect(result.hasSuffix("Gr=C3=BC=C3=9Fe\r\n\r\n=C3=BC =3D clean\r\n"))
        #expect(parts(result) == ["text/plain: Grüße\r\n\r\nü = clean\r\n"])
    }

    @Test(arguments: ["</body>", "</bo=\r\ndy>", "=3C/body>", "</BODY>"])
    func quotedPrintableHTML(_ end: String) {
        let message =
            "Content-Type: text/html\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n<p>x=3D1</p>\(end)</html>\r\n"
        let body = parts(rewrite(message, clean, noted("note")))[0]
        #expect(body.lowercased() == "text/html: <p>x=1</p><div>note</div></body></html>\r\n")
    }

    @Test func htmlWithoutBodyEnd() {
        let message = "Content-Type: text/html\n\n<p>x</p>\n"
        #expect(rewrite(message, clean, noted("n<")) == message + "\n<div>n&lt;</div>\n")
        let half = "Content-Type: text/html\n\n<p>x</p></html>\n"
        #expect(rewrite(half, clean, noted("n")).hasSuffix("<p>x</p>\n<div>n</div>\n</html>\n"))
    }

    @Test func characterSets() {
        let plain = "Content-Type: text/plain; charset=us-ascii\n\nx\n"
        #expect(rewrite(plain, clean, noted("ü")) == plain + "\n?\n")
        let html = "Content-Type: text/html; charset=koi8-r\n\nx\n"
        #expect(rewrite(html, clean, noted("ü")) == html + "\n<div>&#252;</div>\n")
        let eight = "Content-Type: text/plain; charset=UTF-8\n\nß\n"
        #expect(rewrite(eight, clean, noted("ü")) == eight + "\nü\n")
        for charset in ["utf-16", "UTF-16LE", "utf-7", "utf-32", "ebcdic-us"] {
            let wide = "Content-Type: text/plain; charset=\(charset)\n\nx\n"
            #expect(rewrite(wide, clean, noted("n")) == wide)
        }
    }

    @Test func notInWhatWasRemoved() {
        let decision = Decision(
            .accept, .deleted, antivirus: .deleted, removals: [Removal(.content, threats: ["T"])], threats: ["T"])
        let result = rewrite(mixed, decision, noted())
        #expect(!has(result, "Checked"))
        #expect(parts(result).count == 1)
    }

    @Test func masksAndEmptyTemplates() {
        var modification = noted()
        modification.antivirusFootnote = [.infected]
        #expect(rewrite(mixed, clean, modification) == mixed)
        #expect(rewrite(mixed, clean, noted(" \n ")) == mixed)
        var unchecked = clean
        unchecked.antivirus = nil
        #expect(rewrite(mixed, unchecked, noted()) == mixed)
    }
}

extension String {
    fileprivate func components(of separator: String) -> [Substring] {
        split(separator: separator, omittingEmptySubsequences: false)
    }
}
