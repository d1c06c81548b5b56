#if MODULE_WORLD
    package import BytesE
    import MIMEE
#else
    package import Bytes
    import MIME
#endif

extension MessageContent {
    /// The different tokens of the message: what is learned, and what is looked up.
    package func tokens() -> [UInt64] {
        var tokenizer = Tokenizer()
        subject.withView { tokenizer.text($0, field: .subject) }
        from.name.withView { tokenizer.text($0, field: .sender) }
        from.address.withView { tokenizer.whole($0, field: .sender) }
        registeredDomain(from.domain).withView { tokenizer.whole($0, field: .sender) }
        registeredDomain(replyTo.domain).withView { tokenizer.whole($0, field: .header) }
        for link in links.prefix(200) {
            registeredDomain(link.host).withView { tokenizer.whole($0, field: .link) }
            link.host.withView { tokenizer.whole($0, field: .link) }
        }
        // Few links' paths are enough; newsletters have hundreds.
        for link in links.prefix(20) {
            link.target.withView { target in tokenizer.text(target.prefix(200), field: .link) }
        }
        headerTokens(&tokenizer)
        for type in mediaTypes { type.withView { tokenizer.whole($0, field: .markup) } }
        for name in attachments {
            guard let dot = name.lastIndex(of: 0x2e) else { continue }
            name.withView { tokenizer.whole($0.dropFirst(dot), field: .attachment) }
        }
        markupTokens(&tokenizer)
        text.withView { tokenizer.text($0, field: .body) }
        return tokenizer.tokens.values
    }

    /// Which header fields there are, and what the sending program calls itself. Fields that the receiving side adds
    /// are left out: they would tell where a message was learned, not what it is.
    private func headerTokens(_ tokenizer: inout Tokenizer) {
        for field in fields {
            let name = message.slice(field.name.lowerBound, field.name.upperBound)
            if isLocal(name) { continue }
            tokenizer.whole(name, field: .header)
            if isWord(name, of: "x-mailer user-agent list-id precedence") {
                tokenizer.text(field.value(in: message).prefix(200), field: .header)
            }
        }
    }

    private func isLocal(_ name: ByteView) -> Bool {
        name.hasPrefixIgnoringCase(ByteView("x-spam")) || name.hasPrefixIgnoringCase(ByteView("x-virus"))
            || name.hasPrefixIgnoringCase(ByteView("x-eset"))
            || isWord(
                name,
                of:
                    "received return-path delivered-to x-original-to envelope-to x-envelope-to status x-status x-uid x-uidl x-keywords authentication-results received-spf x-loop"
            )
    }

    private func markupTokens(_ tokenizer: inout Tokenizer) {
        let telling: [(Fact, StaticString)] = [
            (.hidden, "hidden"), (.forms, "form"), (.scripts, "script"), (.htmlOnly, "html-only"),
            (.mismatchedLinks, "mismatched-link"), (.numericLinks, "numeric-link"), (.invisible, "invisible"),
            (.undisclosed, "undisclosed"), (.replyToDiffers, "reply-to-differs"),
        ]
        for (fact, name) in telling where facts[fact] > 0 { tokenizer.whole(ByteView(name), field: .markup) }
    }
}

extension [UInt8] {
    /// Lends the bytes as a view.
    package func withView<Result>(_ body: (ByteView) -> Result) -> Result {
        withUnsafeBufferPointer { body(ByteView($0)) }
    }
}
