-- Words of ASCII letters apart from all others (query/text.py). What stands between two blanks in Chinese is a sentence:
-- each one was a word of its own, and a look into the words of a store had to pass by all of them. Texts of ASCII
-- alone, most of them, are not searched for other letters, which was most of what a merge did for these indexes.
ALTER TABLE spans ${on_cluster}
    DROP INDEX IF EXISTS input_words,
    DROP INDEX IF EXISTS output_words,
    DROP INDEX IF EXISTS input_letters,
    DROP INDEX IF EXISTS output_letters;

ALTER TABLE spans ${on_cluster}
    ADD INDEX IF NOT EXISTS input_ascii_words
        if(lengthUTF8(input) = length(input), input, replaceRegexpAll(input, '[^\\x00-\\x7F]+', ' '))
        TYPE text(tokenizer = splitByNonAlpha, preprocessor =
            lower(if(lengthUTF8(input) = length(input), input, replaceRegexpAll(input, '[^\\x00-\\x7F]+', ' '))),
            posting_list_codec = 'bitpacking'),
    ADD INDEX IF NOT EXISTS output_ascii_words
        if(lengthUTF8(output) = length(output), output, replaceRegexpAll(output, '[^\\x00-\\x7F]+', ' '))
        TYPE text(tokenizer = splitByNonAlpha, preprocessor =
            lower(if(lengthUTF8(output) = length(output), output, replaceRegexpAll(output, '[^\\x00-\\x7F]+', ' '))),
            posting_list_codec = 'bitpacking'),
    ADD INDEX IF NOT EXISTS input_letter_groups arrayConcat(
        ngrams(if(lengthUTF8(input) = length(input), '',
            replaceRegexpAll(lowerUTF8(input), '[\\x00-\\x7F]+', ' ')), 1),
        ngrams(if(lengthUTF8(input) = length(input), '',
            replaceRegexpAll(lowerUTF8(input), '[\\x00-\\x7F]+', ' ')), 2),
        ngrams(if(lengthUTF8(input) = length(input), '',
            replaceRegexpAll(lowerUTF8(input), '[\\x00-\\x7F]+', ' ')), 3))
        TYPE text(tokenizer = 'array', posting_list_codec = 'bitpacking'),
    ADD INDEX IF NOT EXISTS output_letter_groups arrayConcat(
        ngrams(if(lengthUTF8(output) = length(output), '',
            replaceRegexpAll(lowerUTF8(output), '[\\x00-\\x7F]+', ' ')), 1),
        ngrams(if(lengthUTF8(output) = length(output), '',
            replaceRegexpAll(lowerUTF8(output), '[\\x00-\\x7F]+', ' ')), 2),
        ngrams(if(lengthUTF8(output) = length(output), '',
            replaceRegexpAll(lowerUTF8(output), '[\\x00-\\x7F]+', ' ')), 3))
        TYPE text(tokenizer = 'array', posting_list_codec = 'bitpacking');
