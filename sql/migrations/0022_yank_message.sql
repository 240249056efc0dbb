-- Why a version was yanked, for whoever asks; it goes with the yank.
-- replaces: ad5c390df185c4b93bfdc98e84afbef91adfe6e346d6194b7ffa82776f15ba7d

-- step: transaction
ALTER TABLE versions
	ADD COLUMN yank_message text,
	ADD CONSTRAINT versions_yank_message_check CHECK (char_length(yank_message) BETWEEN 1 AND 255) NOT VALID,
	ADD CONSTRAINT versions_yank_message CHECK (yanked OR yank_message IS NULL) NOT VALID;

-- to look at all rows locks out nobody
-- step: transaction
ALTER TABLE versions
	VALIDATE CONSTRAINT versions_yank_message_check,
	VALIDATE CONSTRAINT versions_yank_message;
