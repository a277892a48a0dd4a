//! The font stacks of each script.

use crate::phrases::script::Script;

/// The font stacks of a script, by the names under which themes use them: `serif`, `sans`, `kai` for emphasis,
/// `mono`. They stand on most elements of a mail, so they are kept short.
///
/// In Chinese, YaHei stands before the generic family; otherwise Windows would fall back to SimSun's bitmaps.
pub(super) fn stacks(script: Script) -> [(&'static str, &'static str); 4] {
    let (serif, sans, emphasis) = match script {
        Script::Latin => (
            "Georgia,serif",
            "-apple-system,'Segoe UI',Roboto,Arial,sans-serif",
            "Georgia,serif",
        ),
        Script::RightToLeft => (
            "Georgia,'Geeza Pro','Noto Naskh Arabic',Tahoma,serif",
            "-apple-system,'Segoe UI',Roboto,Tahoma,sans-serif",
            "Georgia,'Geeza Pro','Noto Naskh Arabic',Tahoma,serif",
        ),
        Script::Hans => (
            "Georgia,'Songti SC','Noto Serif CJK SC','Microsoft YaHei',serif",
            "-apple-system,'Segoe UI',Roboto,'PingFang SC','Microsoft YaHei','Noto Sans CJK SC',sans-serif",
            "Georgia,'Kaiti SC',KaiTi,'Noto Serif CJK SC',serif",
        ),
        Script::Hant => (
            "Georgia,'Songti TC','Noto Serif CJK TC','Microsoft JhengHei',serif",
            "-apple-system,'Segoe UI',Roboto,'PingFang TC','Microsoft JhengHei','Noto Sans CJK TC',sans-serif",
            "Georgia,'Kaiti TC',DFKai-SB,'Noto Serif CJK TC',serif",
        ),
        Script::Japanese => (
            "Georgia,'Hiragino Mincho ProN','Noto Serif CJK JP','Yu Mincho',serif",
            "-apple-system,'Segoe UI',Roboto,'Hiragino Sans','Yu Gothic','Noto Sans CJK JP',sans-serif",
            "Georgia,'Klee One','YuKyokasho','Noto Serif CJK JP',serif",
        ),
        Script::Korean => (
            "Georgia,AppleMyungjo,'Noto Serif CJK KR',Batang,serif",
            "-apple-system,'Segoe UI',Roboto,'Apple SD Gothic Neo','Malgun Gothic','Noto Sans CJK KR',sans-serif",
            "Georgia,AppleMyungjo,'Noto Serif CJK KR',Batang,serif",
        ),
    };
    [
        ("serif", serif),
        ("sans", sans),
        ("kai", emphasis),
        ("mono", "ui-monospace,Menlo,Consolas,monospace"),
    ]
}
