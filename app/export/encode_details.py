"""The encoder in detail: codec, quality, speed or profile, bit depth, transparency, hardware."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QCheckBox, QComboBox, QFormLayout, QHBoxLayout, QLabel, QSpinBox, QWidget

from vecnet_core.video.encode import CODECS, ENCODERS, Encoder, EncodeSettings, bits_of
from vecnet_core.video.presets import EXPORT_PRESETS

if TYPE_CHECKING:
    from vecnet_core.frame import VideoInfo

CODEC_NAMES: dict[str, str] = {
    "match": "Match source",
    "h264": "H.264",
    "hevc": "H.265 (HEVC)",
    "av1": "AV1",
    "prores": "ProRes",
    "ffv1": "FFV1 (lossless)",
    "dnxhr": "DNxHR",
    "png": "PNG pictures",
    "tiff": "TIFF pictures",
    "jpeg": "JPEG pictures",
    "exr": "OpenEXR pictures",
}
"""How the core's codecs are told to a person."""

_IN_HARDWARE = {"h264", "hevc", "av1"}
"""Codecs that graphics cards encode."""


class EncodeDetails(QWidget):
    """Offers what the encoder at hand has, and nothing else.

    Signals:
        codec_changed: Another codec is chosen.
        changed: Something else is.
    """

    codec_changed = Signal()
    changed = Signal()

    def __init__(self) -> None:
        """On ``match``."""
        super().__init__()
        self._info: VideoInfo | None = None
        self._shown = ""
        self.codec = QComboBox()
        self.codec.setAccessibleName("Codec")
        self.codec.setToolTip("Match source takes the codec of the clip where it can be encoded, else H.264")
        for name in CODECS:
            self.codec.addItem(CODEC_NAMES.get(name, name), name)
        self.codec.currentIndexChanged.connect(self._tell_codec)
        self.crf = QSpinBox()
        self.crf.setAccessibleName("Quality, constant rate factor")
        self.crf.setToolTip("Constant rate factor (CRF): lower is better and larger")
        self.crf.setFixedWidth(72)
        self.crf.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self.crf.valueChanged.connect(self._tell)
        self._quality = QLabel()
        self._quality.setProperty("role", "hint")
        self.preset = QComboBox()
        self.preset.setAccessibleName("Speed or profile")
        self.preset.setToolTip("Slower presets make smaller files of the same quality; profiles set size and quality")
        self.preset.currentIndexChanged.connect(self._tell)
        self.bits = QComboBox()
        self.bits.setAccessibleName("Bit depth")
        self.bits.setToolTip("Bits of a sample; fewer than the source has are rounded")
        self.bits.currentIndexChanged.connect(self._tell)
        self.alpha = QCheckBox("Keep transparency")
        self.alpha.setToolTip("Write the alpha channel of the source; not every codec can hold one")
        self.alpha.setChecked(True)
        self.alpha.toggled.connect(self._tell)
        self.hardware = QCheckBox("Use a hardware encoder where one works")
        self.hardware.setToolTip(
            "Encode on the graphics card, faster and for the same quality larger; it is tried first, and the software "
            "encoder takes its place where that fails"
        )
        self.hardware.toggled.connect(self._tell)
        self._lay_out()

    def _lay_out(self) -> None:
        quality_row = QHBoxLayout()
        quality_row.setSpacing(12)
        quality_row.addWidget(self.crf)
        quality_row.addWidget(self._quality, 1)
        self.form = QFormLayout(self)
        self.form.setContentsMargins(0, 0, 0, 0)
        self.form.setLabelAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.form.setHorizontalSpacing(16)
        self.form.setVerticalSpacing(12)
        self.form.addRow(self._named("&Codec", self.codec), self.codec)
        self._quality_name = self._named("&Quality", self.crf)
        self.form.addRow(self._quality_name, quality_row)
        self._preset_name = self._named("Sp&eed", self.preset)
        self.form.addRow(self._preset_name, self.preset)
        self._bits_name = self._named("&Bit depth", self.bits)
        self.form.addRow(self._bits_name, self.bits)
        self.form.addRow("", self.alpha)
        self.form.addRow("", self.hardware)

    @staticmethod
    def _named(text: str, buddy: QWidget) -> QLabel:
        label = QLabel(text)
        label.setBuddy(buddy)
        return label

    @property
    def codec_name(self) -> str:
        """The codec as the core calls it."""
        return str(self.codec.currentData())

    def choose_codec(self, name: str) -> None:
        """Stand the codec picker on ``name``."""
        self.codec.setCurrentIndex(max(0, self.codec.findData(name)))

    def use_clip(self, info: VideoInfo) -> None:
        """Offer what depends on the clip."""
        self._info = info

    def show_encoder(self, encoder: Encoder) -> None:
        """Offer what this encoder has; what is chosen stays while the encoder does."""
        if encoder.codec != self._shown:
            self._shown = encoder.codec
            self._offer(encoder)
        self._offer_by_clip(encoder)
        self._describe_quality()

    def show_settings(self, encode: EncodeSettings) -> None:
        """Stand on these settings, as far as the encoder that is shown has them."""
        encoder = ENCODERS.get(self._shown)
        if encoder is None:
            return
        with QSignalBlocker(self):
            if encoder.crf_range is not None:
                usual = encoder.default_crf or encoder.crf_range[0]
                self.crf.setValue(usual if encode.crf is None else encode.crf)
            wanted = encode.preset if encode.preset is not None else encoder.default_preset
            self.preset.setCurrentIndex(max(0, self.preset.findData(wanted)))
            self.bits.setCurrentIndex(max(0, self.bits.findData(encode.bit_depth)))
            self.alpha.setChecked(encode.alpha == "keep")
            self.hardware.setChecked(encode.hardware)
        self._describe_quality()

    def settings(self) -> EncodeSettings:
        """The encoder as it is chosen."""
        encoder = ENCODERS[self._shown or "h264"]
        return EncodeSettings(
            self.codec_name,
            crf=self.crf.value() if encoder.crf_range is not None else None,
            preset=self.preset.currentData() if encoder.presets else None,
            bit_depth=self.bits.currentData(),
            alpha="keep" if self.alpha.isChecked() else "drop",
            hardware=self.hardware.isChecked() and encoder.codec in _IN_HARDWARE,
        )

    def recipe(self) -> str:
        """The preset of `EXPORT_PRESETS` whose settings these are; empty when there is none."""
        chosen, encoder = self.settings(), ENCODERS[self._shown or "h264"]
        usual = None if encoder.crf_range is None else encoder.default_crf or encoder.crf_range[0]
        for name, preset in EXPORT_PRESETS.items():
            if preset.encode.codec != chosen.codec:
                continue
            # With the encoder's usual values, and what no preset says.
            filled = replace(
                preset.encode,
                crf=usual if preset.encode.crf is None else preset.encode.crf,
                preset=preset.encode.preset or (encoder.default_preset or None if encoder.presets else None),
                alpha=chosen.alpha,
                hardware=chosen.hardware,
            )
            if filled == chosen:
                return name
        return ""

    def _offer(self, encoder: Encoder) -> None:
        with QSignalBlocker(self):
            self.form.setRowVisible(self._quality_name, encoder.crf_range is not None)
            if encoder.crf_range is not None:
                self.crf.setRange(*encoder.crf_range)
                self.crf.setValue(encoder.default_crf or encoder.crf_range[0])
            self.form.setRowVisible(self._preset_name, bool(encoder.presets))
            self._preset_name.setText("&Profile" if encoder.profiles else "Sp&eed")
            self.preset.clear()
            if not encoder.default_preset:
                # A profile: which one the pictures need, the core knows.
                self.preset.addItem("The one that holds the source", None)
            for name in encoder.presets:
                self.preset.addItem(name, name)
            self.preset.setCurrentIndex(max(0, self.preset.findData(encoder.default_preset)))

    def _offer_by_clip(self, encoder: Encoder) -> None:
        """Offer the bit depths of an encoder, and what else depends on it and the clip."""
        depths = sorted({bits_of(name) for name in encoder.layouts})
        source = "As the source" if self._info is None else f"As the source ({self._info.layout.bit_depth}-bit)"
        chosen = self.bits.currentData()
        with QSignalBlocker(self.bits):
            self.bits.clear()
            self.bits.addItem(source, None)
            for depth in depths:
                self.bits.addItem(f"{depth}-bit", depth)
            self.bits.setCurrentIndex(max(0, self.bits.findData(chosen)))
        self.form.setRowVisible(self._bits_name, len(depths) > 1)
        self.form.setRowVisible(self.alpha, self._info is not None and self._info.has_alpha)
        self.form.setRowVisible(self.hardware, encoder.codec in _IN_HARDWARE)

    def _describe_quality(self) -> None:
        default = ENCODERS[self._shown or "h264"].default_crf or 0
        above = self.crf.value() - default
        words = (
            "lossless" if self.crf.value() == 0 and default < 22 else "nearly lossless, very large" if above < -5
            else "visually lossless" if above <= 2 else "good" if above <= 6 else "small" if above <= 12 else "rough"
        )  # fmt: skip
        self._quality.setText(f"CRF: {words}")

    def _tell_codec(self) -> None:
        self.codec_changed.emit()

    def _tell(self) -> None:
        self._describe_quality()
        self.changed.emit()
