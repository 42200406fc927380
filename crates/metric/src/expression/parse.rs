//! From words to an expression.

use super::function::Function;
use super::lexer::{Token, tokens};
use super::{Expression, Operator};

/// Parts within parts.
const DEPTH_MAX: usize = 50;

/// Reads an expression; the error says what is wrong with it.
pub(crate) fn parse(text: &str) -> Result<Expression, String> {
    let mut parser = Parser { tokens: tokens(text)?, at: 0, depth: 0 };
    let expression = parser.binary(0)?;
    match parser.tokens.get(parser.at) {
        None => Ok(expression),
        Some(_) => Err("something follows its end".into()),
    }
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
}

/// How strongly an operator binds; the weakest first.
fn level(operator: Operator) -> usize {
    match operator {
        Operator::Or => 0,
        Operator::And => 1,
        Operator::Less
        | Operator::LessOrEqual
        | Operator::Greater
        | Operator::GreaterOrEqual
        | Operator::Equal
        | Operator::NotEqual => 2,
        Operator::Plus | Operator::Minus => 3,
        Operator::Times | Operator::Divide => 4,
        Operator::Power => 5,
    }
}

impl Parser {
    fn next(&mut self) -> Option<Token> {
        let token = self.tokens.get(self.at).cloned();
        self.at += 1;
        token
    }

    fn take(&mut self, token: &Token) -> bool {
        let there = self.tokens.get(self.at) == Some(token);
        self.at += usize::from(there);
        there
    }

    fn binary(&mut self, least: usize) -> Result<Expression, String> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(format!("it has more than {DEPTH_MAX} parts within parts"));
        }
        let mut left = self.unary()?;
        while let Some(Token::Operator(operator)) = self.tokens.get(self.at).cloned() {
            let level = level(operator);
            if level < least {
                break;
            }
            self.at += 1;
            // Powers bind from the right: 2 ^ 3 ^ 2 is 2 ^ 9.
            let right = self.binary(if operator == Operator::Power { level } else { level + 1 })?;
            left = Expression::Binary(operator, Box::new(left), Box::new(right));
        }
        self.depth -= 1;
        Ok(left)
    }

    fn unary(&mut self) -> Result<Expression, String> {
        if self.take(&Token::Operator(Operator::Minus)) {
            return Ok(Expression::Negative(Box::new(self.binary(level(Operator::Power))?)));
        }
        match self.next() {
            Some(Token::Number(value)) => Ok(Expression::Number(value)),
            Some(Token::Open) => {
                let inner = self.binary(0)?;
                if self.take(&Token::Close) { Ok(inner) } else { Err("a parenthesis is not closed".into()) }
            }
            Some(Token::Name(name)) if self.take(&Token::Open) => self.call(&name),
            Some(Token::Name(name)) if name.starts_with(|c: char| c.is_ascii_lowercase()) => Ok(Expression::Id(name)),
            Some(Token::Name(name)) if ["REPEAT", "LINEAR"].contains(&name.as_str()) => Ok(Expression::Word(name)),
            Some(Token::Name(name)) => Err(format!("{name} is not known")),
            Some(Token::Text(text)) => Ok(Expression::Text(text)),
            Some(_) => Err("a value is missing".into()),
            None => Err("it ends too early".into()),
        }
    }

    fn call(&mut self, name: &str) -> Result<Expression, String> {
        let function = Function::parse(name).ok_or_else(|| format!("the function {name} is not supported"))?;
        let mut arguments = Vec::new();
        if !self.take(&Token::Close) {
            loop {
                arguments.push(self.binary(0)?);
                if self.take(&Token::Close) {
                    break;
                }
                if !self.take(&Token::Comma) {
                    return Err(format!("the arguments of {} have no end", function.name()));
                }
            }
        }
        if !function.arity().contains(&arguments.len()) {
            return Err(format!("{} does not take {} arguments", function.name(), arguments.len()));
        }
        let fits = |(place, argument): (usize, &Expression)| function.takes(place, argument);
        if !arguments.iter().enumerate().all(fits) {
            return Err(format!("{} does not take such an argument", function.name()));
        }
        Ok(Expression::Call(function, arguments))
    }
}
