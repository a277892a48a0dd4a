//! The program `letterpress`: everything is in the library, so that tests use what people use.

fn main() -> std::process::ExitCode {
    letterpress::cli::main()
}
