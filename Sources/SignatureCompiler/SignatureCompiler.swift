// SignatureCompiler
