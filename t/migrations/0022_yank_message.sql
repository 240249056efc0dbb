-- Why a version was yanked, for whoever asks; it goes with the yank.

ALTER TABLE versions ADD COLUMN yank_message text
	CHECK (char_length(yank_message) BETWEEN 1 AND 255),
	ADD CONSTRAINT versions_yank_message CHECK (yanked OR yank_message IS NULL);
